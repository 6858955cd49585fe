"""The file `rsa_oaep`: ciphertexts of RSAES-OAEP, made with a known seed."""
