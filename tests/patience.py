"""The one limit on waiting in the tests, with room for a machine that is busy with other work."""

PATIENCE = 600
"""Seconds after which something is taken to wait for what never comes.

The longest step takes 5 seconds on an idle machine. At a load of 20 on two processors it takes ten
times as long.
"""
