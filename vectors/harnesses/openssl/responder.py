"""Answer the questions of `kmscore-vectors run` with the command line of OpenSSL.

    python responder.py [--version]

`openssl pkeyutl -decrypt` decrypts RSAES-OAEP and SM2 in ASN1_DER. It has no AEAD, and no SM2 in
C1C3C2, so these are not supported. Keys are in a private temporary folder while a question runs.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_OPTIONS: Final = {
    "RSAES_OAEP_SHA_256": (
        *("-pkeyopt", "rsa_padding_mode:oaep"),
        *("-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"),
    ),
    "RSAES_OAEP_SHA_1": (
        *("-pkeyopt", "rsa_padding_mode:oaep"),
        *("-pkeyopt", "rsa_oaep_md:sha1", "-pkeyopt", "rsa_mgf1_md:sha1"),
    ),
    "SM2PKE": (),
}
_UNSUPPORTED: Final = {"unsupported": True}


def main() -> None:
    """Print the version, or answer each question on standard input."""
    if sys.argv[1:] == ["--version"]:
        # The first two words of "OpenSSL 3.0.19 27 Jan 2026 (Library: ...)".
        words = _openssl("version").stdout.decode("ascii").split()
        sys.stdout.write(" ".join(words[:2]) + "\n")
        return
    for line in sys.stdin:
        question = json.loads(line)
        result = _answer(question["operation"], question["inputs"])
        sys.stdout.write(json.dumps({"id": question["id"], **result}) + "\n")
        sys.stdout.flush()


def _answer(operation: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer to a question."""
    if operation == "sm2_decrypt" and inputs["encoding"] == "ASN1_DER":
        return _decrypt("SM2PKE", inputs["privateKeyPkcs8"], inputs["ct"], "msg")
    if operation != "asymmetric_decrypt" or inputs["algorithm"] not in _OPTIONS:
        return _UNSUPPORTED
    is_sm2 = inputs["algorithm"] == "SM2PKE"
    is_der = inputs["ciphertext"].startswith("30")
    if is_sm2 != (inputs["key_spec"] == "EC_SM2") or (is_sm2 and not is_der):
        return _UNSUPPORTED
    return _decrypt(inputs["algorithm"], inputs["private_key"], inputs["ciphertext"], "plaintext")


def _decrypt(algorithm: str, key: str, ciphertext: str, output: str) -> Mapping[str, Any]:
    """Return the answer of a decryption."""
    with tempfile.TemporaryDirectory(prefix="kmscore-openssl-") as folder:
        path = Path(folder) / "key.der"
        path.write_bytes(bytes.fromhex(key))
        result = _openssl(
            *("pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", str(path), *_OPTIONS[algorithm]),
            data=bytes.fromhex(ciphertext),
        )
    if result.returncode < 0:  # a signal; the documented exit codes are from 0 up
        return {"crash": f"openssl ended with signal {-result.returncode}"}
    if result.returncode:
        return {"error": "decryption"}
    return {"outputs": {output: result.stdout.hex()}}


def _openssl(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)


if __name__ == "__main__":
    main()
