"""Errors if a build or a policy of the system lacks an algorithm."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.strategies import raises_exactly

from kmscore import RsaKey, UnsupportedAlgorithmError
from kmscore._availability import attempt

_POLICY = """
openssl_conf = openssl_init
[openssl_init]
providers = providers
alg_section = algorithms
[providers]
default = default_provider
[default_provider]
activate = 1
[algorithms]
default_properties = "fips=yes"
"""
"""A configuration that requires FIPS without a FIPS provider, so that no algorithm is available."""

_EVERY_USE = """
import kmscore
from kmscore import Keyring, KeySpec, RsaKey, Sm2Key, Suite, SymmetricKey, keyfile
from kmscore.algorithms import KEY_SPECS

print(kmscore.sm2.available_backends())
rsa_key = open("rsa.der", "rb").read()
uses = {
    **{
        f"{spec} {suite}": lambda spec=spec, suite=suite: SymmetricKey.generate(spec, suite=suite)
        for spec, row in KEY_SPECS.items()
        for suite in row.suites
    },
    "RSA": lambda: RsaKey.generate("RSA_2048"),
    "a good RSA key": lambda: RsaKey.from_der("k", "v", rsa_key),
    "portable": lambda: Sm2Key.generate(backend="portable"),
    "gmssl": lambda: Sm2Key.generate(backend="gmssl"),
    "keyfile": lambda: keyfile.seal_keyring(Keyring([]), b"a long passphrase"),
}
for name, use in uses.items():
    try:
        use()
    except kmscore.UnsupportedAlgorithmError:
        print("unsupported")
    else:
        print("usable", name)
"""


def test_a_policy_without_any_algorithm_raises_errors_of_kmscore(
    tmp_path: Path, rsa_key: RsaKey
) -> None:
    """Creating and reading keys and encrypting a keyring raise only errors of kmscore.

    Backends that cannot work are not in the list.
    """
    policy = tmp_path / "openssl.cnf"
    policy.write_text(_POLICY)
    der = rsa_key._private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "rsa.der").write_bytes(der)
    ran = subprocess.run(
        [sys.executable, "-P", "-c", _EVERY_USE],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"OPENSSL_CONF": str(policy)},
    )
    backends, *uses = ran.stdout.splitlines()
    assert ran.returncode == 0, ran.stderr
    assert backends in {"('openssl',)", "()"}
    assert uses == ["unsupported"] * 10


@pytest.mark.parametrize(
    "missing",
    [lambda: UnsupportedAlgorithm("SM3"), lambda: InternalError("unknown", [])],
    ids=["UnsupportedAlgorithm", "InternalError"],
)
def test_an_algorithm_that_is_missing_is_named(missing: Callable[[], Exception]) -> None:
    """The message has the algorithm, and the error of the other library is not in the context."""

    def use() -> None:
        raise missing()

    with raises_exactly(UnsupportedAlgorithmError, "SM3 is not available") as caught:
        attempt(use, "SM3")
    assert caught.value.__context__ is None


def test_another_error_is_not_reported_as_a_missing_algorithm() -> None:
    """Another exception propagates unchanged."""
    with raises_exactly(ZeroDivisionError):
        attempt(lambda: 1 / 0, "SM3")
