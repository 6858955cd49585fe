"""A table of ciphertexts moved to the newest version of a key, in parts that can be resumed."""
