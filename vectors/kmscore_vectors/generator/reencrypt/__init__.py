"""The file `reencrypt`: re-encryption with a keyring."""
