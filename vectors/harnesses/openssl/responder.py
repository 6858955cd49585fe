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
    if operation != "asymmetric_decrypt" or inputs["algorithm"] not in _OPTIONS:
        return _UNSUPPORTED
    algorithm, ciphertext = inputs["algorithm"], bytes.fromhex(inputs["ciphertext"])
    if algorithm == "SM2PKE" and ciphertext[:1] == b"\x04":
        return _UNSUPPORTED
    with tempfile.TemporaryDirectory(prefix="kmscore-openssl-") as folder:
        key = Path(folder) / "key.der"
        key.write_bytes(bytes.fromhex(inputs["private_key"]))
        result = _openssl(
            *("pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", str(key), *_OPTIONS[algorithm]),
            data=ciphertext,
        )
    if result.returncode:
        return {"error": "decryption"}
    return {"outputs": {"plaintext": result.stdout.hex()}}


def _openssl(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)


if __name__ == "__main__":
    main()
