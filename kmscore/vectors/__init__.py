"""Test vectors for a KMS's ciphertexts: their generator, their verifier, and their runner."""
