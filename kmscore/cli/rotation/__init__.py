"""A table of ciphertexts moved to the primary version of a key, in parts that can be resumed."""
