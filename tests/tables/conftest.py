"""The keyring file of the commands."""

from support.commands import ring_file

__all__ = ["ring_file"]
