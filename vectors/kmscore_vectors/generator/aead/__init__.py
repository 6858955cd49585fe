"""The file `aead`: the five suites, with blobs that were sealed with a given IV."""
