"""The fixtures of the plugin, as `pytest_plugins` in the root folder would load them."""

from kmscore.emulator.pytest_plugin import kms, kms_profile, kms_server

__all__ = ["kms", "kms_profile", "kms_server"]
