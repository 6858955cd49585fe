"""The file `blob`: the fields of blobs, without decryption."""
