"""What the tests of the service's surface share: keys, an API over them, the README's server."""

import base64
import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from kmscore import Keyring, KeySpec, KeyState, RsaKey, Sm2Key, Suite, SymmetricKey, alibaba
from kmscore.keys import Key

README = Path(__file__).resolve().parents[1] / "README.md"
_PYTHON = re.compile(r"^```python\n(?!>>>)(.*?)^```$", re.DOTALL | re.MULTILINE)

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
    """Return the key ID behind an alias or a resource name."""
    return ALIASES.get(text) or alibaba.key_id_of_name(text)


def make_api(policy: Any = alibaba.ALLOW_ALL, **options: Any) -> alibaba.KmsApi:
    """Return an API over the keys here, with request IDs that count."""
    numbers = itertools.count(1)
    defaults = {"request_id": lambda: f"request-{next(numbers)}"}
    return alibaba.KmsApi(options.pop("keys", INDEX), policy, **{**defaults, **options})


def to_base64(data: bytes) -> str:
    """Return bytes as a parameter has them."""
    return base64.b64encode(data).decode("ascii")


def seal(api: alibaba.KmsApi, plaintext: bytes = b"text", **params: Any) -> str:
    """Return a blob of the API's layout, under the key `orders` unless another is named."""
    request = {"Action": "Encrypt", "KeyId": "orders", "Plaintext": to_base64(plaintext)}
    response = api.call(request | params)
    assert response.status == 200, response.body
    return str(response.body["CiphertextBlob"])


def valid_requests(api: alibaba.KmsApi) -> dict[str, dict[str, Any]]:
    """Return a request of each action that succeeds."""
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


def readme_code() -> tuple[str, str]:
    """Return the server of the README, and the client that calls it."""
    server, client = _PYTHON.findall(README.read_text("utf-8"))[:2]
    return server, client


@contextmanager
def serving(api: alibaba.KmsApi) -> Iterator[int]:
    """Run the server of the README on loopback; yield its port."""
    module = ModuleType("readme")
    exec(readme_code()[0], vars(module))  # noqa: S102 (the example is what is tested)
    with module.serve(api) as server:
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
