"""`gmssl`'s own SM2 decryption: it compares no C3 and checks no point, and has to be found out."""

import json
import sys
from typing import Any

from gmssl.sm2 import CryptSM2


def answer(operation: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what `gmssl` makes of a ciphertext in C1C3C2, of which it wants no first byte."""
    ciphertext = bytes.fromhex(inputs.get("ciphertext", ""))
    if operation != "asymmetric_decrypt" or "d" not in inputs or ciphertext[:1] != b"\x04":
        return {"unsupported": True}
    try:
        plaintext = CryptSM2(inputs["d"], "", mode=1).decrypt(ciphertext[1:])
    except Exception:  # noqa: BLE001 (it raises whatever comes to its mind)
        plaintext = None
    return (
        {"error": "decryption"}
        if plaintext is None
        else {"outputs": {"plaintext": plaintext.hex()}}
    )


for line in sys.stdin:
    question = json.loads(line)
    print(
        json.dumps({"id": question["id"], **answer(question["operation"], question["inputs"])}),
        flush=True,
    )
