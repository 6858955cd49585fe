"""The file `sm2pke`: decryption, encryption with a given k, and the five encodings."""
