"""The scenario of a client in Python, whose results are one JSON object.

The scripts of this folder run in the environment of their client, without `kmscore`.
"""

import json
import os
import sys
from collections.abc import Callable

CONTEXT = {"tenant": "acme", "table": "orders"}
OTHER = {"tenant": "other", "table": "orders"}
PLAINTEXT = "p@ss wörd"
REGION = "cn-hangzhou"

ENDPOINT = os.environ["KMSCORE_ENDPOINT"]
PROTOCOL, _, ADDRESS = ENDPOINT.partition("://")
ACCESS_KEY = os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"]
SECRET = os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]


def outcome(call: Callable[[], object], code: Callable[[Exception], object]) -> str:
    """Return the class and the code of the exception of a call, or `OK`."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 (the class is the result)
        return f"{type(error).__name__} {code(error)}"
    return "OK"


def play(
    encrypt: Callable[[str, dict[str, str]], str],
    decrypt: Callable[[str, dict[str, str] | None], str],
    code: Callable[[Exception], object],
) -> None:
    """Print the results of the scenario that the command line names.

    `encrypt` takes a key ID and a context, and returns a ciphertext of the plaintext. `decrypt`
    takes it with a context. `code` returns the error code of an exception.
    """
    result: dict[str, object]
    if sys.argv[1] == "throttle":
        encrypt("alias/orders", CONTEXT)
        result = {"second": outcome(lambda: encrypt("alias/orders", CONTEXT), code)}
    else:
        blob = encrypt("alias/orders", CONTEXT)
        result = {
            "opened": decrypt(blob, CONTEXT) == PLAINTEXT,
            "other context": outcome(lambda: decrypt(blob, OTHER), code),
            "no context": outcome(lambda: decrypt(blob, None), code),
            "unknown key": outcome(lambda: encrypt("unknown", CONTEXT), code),
        }
    print(json.dumps(result))
