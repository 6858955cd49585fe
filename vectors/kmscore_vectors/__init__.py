"""Test vectors for the ciphertexts of a KMS: their generator, their verifier and their runner.

Nothing here is imported from the library `kmscore`, except by `kmscore_vectors.adapter`, which
runs that library on the vectors.
"""

__version__ = "0.1.0"
