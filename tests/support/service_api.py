"""Helpers of the tests of the service API: keys, an API with them, and the example server."""

import base64
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from kmscore import Keyring, KeySpec, KeyState, RsaKey, Sm2Key, Suite, SymmetricKey, alibaba
from kmscore.keys import Key

_SERVER = Path(__file__).resolve().parents[2] / "examples" / "local_kms.py"

PROFILES = {"v1": alibaba.Profile.V1, "service": alibaba.Profile.ALIBABA}
VERSION = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"
OTHER_VERSION = "2ab1a983-7072-4bbc-a582-584b5bd80000"
STATES = {
    "disabled": KeyState.DISABLED,
    "pending-deletion": KeyState.PENDING_DELETION,
    "pending-import": KeyState.PENDING_IMPORT,
}
RSA = RsaKey.generate(KeySpec.RSA_2048, key_id="rsa", key_version_id="r1")
SM2 = Sm2Key.generate(key_id="sm2", key_version_id="s1")
KEYS: tuple[Key, ...] = (
    SymmetricKey.generate(
        KeySpec.AES_256, key_id="orders", key_version_id=VERSION, suite=Suite.AES_256_GCM
    ),
    SymmetricKey.generate(KeySpec.SM4, key_id="archive", key_version_id=OTHER_VERSION),
    SymmetricKey.generate(KeySpec.AES_256, key_id="xaes"),
    RSA,
    SM2,
    *(
        SymmetricKey.generate(KeySpec.AES_128, key_id=key_id, state=state)
        for key_id, state in STATES.items()
    ),
)
RING = Keyring(KEYS)
INDEX = alibaba.VersionIndex(RING)
ALIASES = {"alias/orders": "orders", "acs:kms:cn-hangzhou:1:alias/orders": "orders"}


def resolve(text: str) -> str | None:
    """Return the key ID of an alias or a resource name."""
    return ALIASES.get(text) or alibaba.key_id_of_name(text)


def make_api(policy: Any = alibaba.ALLOW_ALL, **options: Any) -> alibaba.KmsApi:
    """Return an API with the keys of this module and numbered request IDs."""
    numbers = itertools.count(1)
    defaults = {"request_id": lambda: f"request-{next(numbers)}"}
    return alibaba.KmsApi(options.pop("keys", INDEX), policy, **{**defaults, **options})


def to_base64(data: bytes) -> str:
    """Return bytes in the form of a parameter."""
    return base64.b64encode(data).decode("ascii")


def seal(api: alibaba.KmsApi, plaintext: bytes = b"text", **params: Any) -> str:
    """Return a blob in the layout of the API, by default under the key `orders`."""
    request = {"Action": "Encrypt", "KeyId": "orders", "Plaintext": to_base64(plaintext)}
    response = api.call(request | params)
    assert response.status == 200, response.body
    return str(response.body["CiphertextBlob"])


def valid_requests(api: alibaba.KmsApi) -> dict[str, dict[str, Any]]:
    """Return a successful request for each action."""
    blob = seal(api)
    context = '{"tenant":"acme"}'
    wrapping = {
        "PublicKeyBlob": to_base64(RSA.public_key.to_der()),
        "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "WrappingKeySpec": "RSA_2048",
    }
    asymmetric = {"KeyId": "sm2", "KeyVersionId": "s1", "Algorithm": "SM2PKE"}
    bare = api.call({"Action": "AsymmetricEncrypt", "Plaintext": "dGV4dA==", **asymmetric})
    parameters: dict[str, dict[str, Any]] = {
        "ReEncrypt": {
            "CiphertextBlob": blob,
            "DestinationKeyId": "archive",
            "DestinationEncryptionContext": context,
        },
        "Encrypt": {"KeyId": "orders", "Plaintext": "dGV4dA==", "EncryptionContext": context},
        "Decrypt": {"CiphertextBlob": blob},
        "GenerateDataKey": {"KeyId": "orders", "KeySpec": "AES_128"},
        "GenerateDataKeyWithoutPlaintext": {"KeyId": "orders", "NumberOfBytes": "64"},
        "ExportDataKey": {"CiphertextBlob": blob, **wrapping},
        "GenerateAndExportDataKey": {"KeyId": "orders", **wrapping},
        "AsymmetricEncrypt": {"Plaintext": "dGV4dA==", **asymmetric},
        "AsymmetricDecrypt": {"CiphertextBlob": bare.body["CiphertextBlob"], **asymmetric},
    }
    return {action: {"Action": action, **params} for action, params in parameters.items()}


def example_server() -> ModuleType:
    """Return the example server as a module."""
    module = ModuleType("local_kms")
    exec(_SERVER.read_text("utf-8"), vars(module))  # noqa: S102 (the example is under test)
    return module


SECRETS = {"test": "test", "any": "any"}
"""The secrets of the access keys of clients."""


def _authenticate(parsed: alibaba.ParsedRequest, now: datetime) -> Any:
    """Accept a request without a signature, and one with the right signature of a test key."""
    if "authorization" in parsed.headers or "Signature" in parsed.parameters:
        return alibaba.verify(parsed, SECRETS.get, now=now, is_fresh=_is_fresh)
    return alibaba.ANONYMOUS(parsed, now)


_NONCES: set[tuple[str, str]] = set()


def _is_fresh(access_key_id: str, nonce: str, expires: datetime | None) -> bool:
    """Record a nonce of a client; its expiry is later than the end of the tests."""
    assert expires is not None
    size = len(_NONCES)
    _NONCES.add((access_key_id, nonce))
    return len(_NONCES) > size


@contextmanager
def serving(api: alibaba.KmsApi) -> Iterator[int]:
    """Run the example server on loopback; yield its port."""
    app = alibaba.wsgi_app(api, authenticate=_authenticate, clock=lambda: datetime.now(UTC))
    with example_server().serve(app) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def code_of(response: alibaba.ApiResponse) -> str | None:
    """Return the code of an error, or `None` if there is none."""
    code = response.body.get("Code")
    return None if code is None else str(code)
