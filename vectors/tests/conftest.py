"""The fixtures that the tests of both distributions use."""

from fixtures import backend, count_known_answers, in_time, rsa_key, rsa_keys, sm2_key

__all__ = ["backend", "count_known_answers", "in_time", "rsa_key", "rsa_keys", "sm2_key"]
