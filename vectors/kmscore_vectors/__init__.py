"""Test vectors for the ciphertexts of a KMS: their generator, their verifier and their runner.

Only `kmscore_vectors.adapter` imports the library `kmscore`, because it runs that library on the
vectors.
"""

__version__ = "0.1.0"
