"""Helpers of the tests: test keys, published answers, second implementations, and strategies."""
