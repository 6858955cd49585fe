"""The test keys: published keys, a keyring, and private keys that are unusual or wrong."""
