"""The SM2 backends: which are usable, the choice of one, and the self-test."""

import ctypes
import importlib.util
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from support.strategies import raises_exactly
from support.textbook_sm2 import PUBLIC, SCALAR, Parts, StandIn, decrypt_unchecked

from kmscore import InvalidBlobError, Sm2Key, UnsupportedAlgorithmError
from kmscore.sm2 import Sm2Encoding, available_backends, backends, encodings, scheme, selftest
from kmscore.sm2.backends import gmssl, openssl, portable, select_backend
from kmscore.sm2.curve import Point
from kmscore.sm2.encodings import Sm2Ciphertext, parse
from kmscore.sm2.selftest import passes_self_test

ORDERS = (("openssl", "portable", "gmssl"), ("portable", "openssl", "gmssl"))
RIGHT = scheme.PointBackend("portable", is_default=True, multiply=portable.multiply)
EXAMPLE = parse(selftest._CIPHERTEXT, Sm2Encoding.C1C3C2)


@pytest.fixture(autouse=True)
def _fresh_backends() -> Iterator[None]:
    """Load the backends again in every test, and after it."""
    backends._load.cache_clear()
    yield
    backends._load.cache_clear()


def missing(*_arguments: Any) -> NoReturn:
    """Replace a function that this build of a library does not have."""
    raise UnsupportedAlgorithm("missing")


def unusable(*_arguments: Any) -> NoReturn:
    """Replace the `load` of a backend that is not usable."""
    raise UnsupportedAlgorithmError("taken away")


@pytest.mark.parametrize("c2", [b"\x00", b"\x01", b"\x03", b"\xff"])
def test_only_a_c2_that_equals_the_plaintext_is_drawn_again(c2: bytes) -> None:
    """A KDF output of zeros gives such a C2; any other one is returned at once."""
    plaintext, draws = b"\x02", []

    def encryptor(data: bytes) -> Sm2Ciphertext:
        draws.append(data)
        return Sm2Ciphertext(Point(*PUBLIC), bytes(32), data if len(draws) < 3 else c2)

    assert scheme.encrypt(encryptor, plaintext).c2 == c2
    assert draws == [plaintext] * 3


def test_the_list_has_every_usable_backend_with_the_default_first() -> None:
    """The list is in order of preference; gmssl is always last, and portable is always there."""
    names = available_backends()
    assert "portable" in names
    assert names in [tuple(name for name in order if name in names) for order in ORDERS]
    assert ("gmssl" in names) == (importlib.util.find_spec("gmssl") is not None)
    assert select_backend(None).name == names[0]


def test_a_backend_is_selected_by_name(backend: str) -> None:
    """Each name returns the same backend every time, and a key has that backend."""
    assert select_backend(backend).name == backend
    assert select_backend(backend) is select_backend(backend)
    assert Sm2Key.generate(backend=backend).backend == backend


@pytest.mark.parametrize("name", ["", "OpenSSL", "openssl ", "auto", "kmscore.sm2", "..portable"])
def test_an_unknown_name_is_unsupported(name: str) -> None:
    """A name is exactly one of three; a module with another name is not imported."""
    with raises_exactly(UnsupportedAlgorithmError, "unknown SM2 backend"):
        select_backend(name)
    with raises_exactly(UnsupportedAlgorithmError, "unknown SM2 backend"):
        Sm2Key.generate(backend=name)


def test_an_unknown_backend_is_not_quoted() -> None:
    """The message has the allowed names, because a value in the wrong place can be a key."""
    with raises_exactly(UnsupportedAlgorithmError, "openssl, portable, gmssl") as caught:
        Sm2Key.from_scalar("k", "v", 5, backend="3945208f7b2144b13f36e38ac6d39f95")
    assert "3945" not in str(caught.value)


@pytest.mark.parametrize("name", [b"openssl", 1, True, ["openssl"], object()])
def test_a_name_that_is_not_text_is_a_type_error(name: Any) -> None:
    """A name of the wrong type raises `TypeError`."""
    with raises_exactly(TypeError, "backend"):
        select_backend(name)


def test_gmssl_is_never_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """If only gmssl is usable, `None` raises an error, and the name selects it."""
    if "gmssl" not in available_backends():
        pytest.skip("the package gmssl is not installed")
    backends._load.cache_clear()
    monkeypatch.setattr(openssl, "load", unusable)
    monkeypatch.setattr(portable, "load", unusable)
    assert available_backends() == ("gmssl",)
    with raises_exactly(UnsupportedAlgorithmError, "no backend of SM2 is usable here"):
        select_backend(None)
    assert select_backend("gmssl").name == "gmssl"


def test_without_any_backend_no_sm2_key_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any usable backend, a name and no name both raise `UnsupportedAlgorithmError`."""
    for module in (openssl, portable, gmssl):
        monkeypatch.setattr(module, "load", unusable)
    assert available_backends() == ()
    with raises_exactly(UnsupportedAlgorithmError, "no backend of SM2 is usable here"):
        Sm2Key.generate()
    with raises_exactly(UnsupportedAlgorithmError, "portable is not usable here: taken away"):
        Sm2Key.generate(backend="portable")


def test_importing_loads_no_backend(tmp_path: Path) -> None:
    """The import loads neither ctypes nor gmssl; `available_backends` loads the backends."""
    code = (
        "import sys; before = set(sys.modules); import kmscore; new = set(sys.modules) - before;"
        "print(sorted({'ctypes', 'gmssl', 'kmscore.sm2.backends.openssl'} & new))"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", code], check=True, capture_output=True, cwd=tmp_path
    )
    assert run.stdout.decode().strip() == "[]"


def test_without_the_package_the_backend_gmssl_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If the optional package is missing, the error says so, and the other backends work."""
    monkeypatch.setitem(sys.modules, "gmssl", None)
    monkeypatch.setitem(sys.modules, "gmssl.sm2", None)
    assert "gmssl" not in available_backends()
    assert "portable" in available_backends()
    with raises_exactly(UnsupportedAlgorithmError, "gmssl is not usable here: the package gmssl"):
        select_backend("gmssl")


def test_another_package_named_gmssl_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of the same name without the class counts as missing."""
    monkeypatch.setitem(sys.modules, "gmssl.sm2", ModuleType("gmssl.sm2"))
    assert "gmssl" not in available_backends()
    with raises_exactly(UnsupportedAlgorithmError, "the SM2 backend gmssl is not usable here"):
        select_backend("gmssl")


@pytest.mark.parametrize("name", ["portable", "gmssl"])
def test_without_sm3_the_backends_that_need_it_are_not_usable(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build of `cryptography` without SM3 leaves only libcrypto, which has its own SM3."""
    usable = set(available_backends())
    backends._load.cache_clear()
    monkeypatch.setattr(scheme, "Hash", missing)
    assert set(available_backends()) == usable & {"openssl"}
    with raises_exactly(
        UnsupportedAlgorithmError, f"{name} is not usable here: SM3 is not available"
    ):
        select_backend(name)


def test_without_ctypes_the_other_backends_are_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter without libffi has no ctypes, and `portable` is still usable."""
    monkeypatch.setitem(sys.modules, "ctypes", None)
    monkeypatch.setattr(backends, "openssl", openssl)
    monkeypatch.delitem(sys.modules, "kmscore.sm2.backends.openssl")
    names = available_backends()
    assert "openssl" not in names
    assert "portable" in names
    with raises_exactly(UnsupportedAlgorithmError, "the SM2 backend openssl is not usable here"):
        select_backend("openssl")


class _Broken:
    """A finder whose `_ssl` exists but does not load, because its libssl is missing."""

    @staticmethod
    def find_spec(name: str, *_arguments: Any) -> None:
        """Fail for `_ssl` only."""
        if name == "_ssl":
            raise ImportError("libssl.so.3: cannot open shared object file")


def test_a_broken_ssl_module_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter without its own libssl uses another libcrypto, if one exists."""
    monkeypatch.delitem(sys.modules, "_ssl", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Broken, *sys.meta_path])
    monkeypatch.setattr(sys, "platform", "linux")
    fit = library()
    assert give({"libcrypto.so.3": fit}, monkeypatch) == []
    assert openssl.load().libcrypto is fit
    give({}, monkeypatch)
    assert select_backend(None).name == "portable"


def library(version: int = 0x3000_0000, **replaced: Any) -> Any:
    """Return a libcrypto that loads, accepts every key and computes nothing."""

    def take(_context: int, handle: Any, _selection: int, _params: Any) -> int:
        handle._obj.value = 1
        return 1

    functions: dict[str, Any] = {name: lambda *_arguments: 1 for name in openssl._PROTOTYPES}
    functions |= {"OpenSSL_version_num": lambda: version, "EVP_PKEY_fromdata": take}
    return StandIn(SimpleNamespace(**functions), **replaced)


def give(libraries: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let only these libraries load, and return the list of the names tried."""
    tried: list[str] = []

    def load(name: str) -> Any:
        tried.append(name)
        if name not in libraries:
            raise OSError("no such library")
        return libraries[name]

    monkeypatch.setattr(ctypes, "CDLL", load)
    return tried


def give_ssl(file: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `_ssl` have this file, or no file."""
    module = ModuleType("_ssl")
    if file is not None:
        module.__file__ = file
    monkeypatch.setitem(sys.modules, "_ssl", module)


UNFIT = {
    "not there": {},
    "LibreSSL": {"own": library(OSSL_LIB_CTX_new=None)},
    "OpenSSL 1.1.1": {"own": library(0x1010_117F)},
    "just before 3.0.0": {"own": library(0x2FFF_FFFF)},
    "no library context": {"own": library(OSSL_LIB_CTX_new=lambda: None)},
    "no default provider": {"own": library(OSSL_PROVIDER_load=lambda *_arguments: None)},
    # Some distributions remove SM2: the library loads, but does not know the key type.
    "no SM2": {"own": library(EVP_PKEY_CTX_new_from_name=lambda *_arguments: None)},
    "no curve of SM2": {"own": library(EVP_PKEY_fromdata=lambda *_arguments: 0)},
} | {f"without {name}": {"own": library(**{name: None})} for name in openssl._PROTOTYPES}


@pytest.mark.parametrize("unfit", UNFIT.values(), ids=UNFIT)
def test_after_an_unsuitable_library_the_next_is_tried(
    unfit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a library is not libcrypto 3.0 or newer with SM2, the next one is tried."""
    give_ssl("own", monkeypatch)
    monkeypatch.setattr(sys, "platform", "linux")
    fit = library()
    tried = give(unfit | {"libcrypto.so.3": fit}, monkeypatch)
    assert openssl.load().libcrypto is fit
    assert tried == ["own", "libcrypto.so.3"]


@pytest.mark.parametrize("unfit", UNFIT.values(), ids=UNFIT)
def test_without_a_suitable_library_the_backend_is_not_usable(
    unfit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no libcrypto is suitable, the error has the reason, and the other backends work."""
    give_ssl("own", monkeypatch)
    give(unfit, monkeypatch)
    with raises_exactly(UnsupportedAlgorithmError, "no libcrypto of version 3.0 or newer"):
        select_backend("openssl")
    assert select_backend(None).name == "portable"


@pytest.mark.parametrize(
    ("system", "names"),
    [
        ("linux", ["libcrypto.so.3"]),
        ("freebsd14", ["libcrypto.so.3"]),
        ("darwin", ["libcrypto.3.dylib"]),
        ("win32", ["libcrypto-3.dll", "libcrypto-3-x64.dll"]),
    ],
)
@pytest.mark.parametrize("own", ["own", None, "no module"])
def test_the_interpreters_own_library_is_tried_first(
    system: str, names: list[str], own: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of the system follow; on macOS all of them have a version, because others abort.

    Without `_ssl`, or if it is built into the interpreter and has no file, only these names are
    tried.
    """
    give_ssl(own, monkeypatch)
    if own == "no module":
        monkeypatch.setitem(sys.modules, "_ssl", None)
    monkeypatch.setattr(sys, "platform", system)
    tried = give({}, monkeypatch)
    with raises_exactly(UnsupportedAlgorithmError):
        openssl.load()
    assert tried == (["own"] if own == "own" else []) + names


def test_every_called_function_has_a_prototype(monkeypatch: pytest.MonkeyPatch) -> None:
    """Result and argument types of all called functions are declared, as pointers are not `int`."""
    functions = {name: SimpleNamespace() for name in openssl._PROTOTYPES}
    functions["OpenSSL_version_num"] = type("Version", (), {"__call__": lambda _: 0x3000_0000})()
    give({"any": SimpleNamespace(**functions)}, monkeypatch)
    assert openssl._bind("any") is not None
    for name, (result, arguments) in openssl._PROTOTYPES.items():
        assert functions[name].restype is result
        assert functions[name].argtypes == arguments


@pytest.mark.parametrize(
    ("machine", "version", "branches"),
    [
        ("aarch64", 0x3000_0130, False),
        ("arm64", 0x3010_0080, False),
        ("arm64", 0x301F_FFFF, False),
        ("aarch64", 0x3020_0000, True),
        ("arm64", 0x3050_0010, True),
        ("ARM64", 0x3020_0000, True),
        ("x86_64", 0x3020_0000, False),
        ("AMD64", 0x3050_0010, False),
        ("riscv64", 0x3050_0010, False),
    ],
)
def test_on_64_bit_arm_a_library_that_branches_on_the_scalar_is_not_the_default(
    machine: str, version: int, branches: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On 64-bit ARM with OpenSSL 3.2 or newer, the default is `portable`, not `openssl`."""
    usable = available_backends()
    if "openssl" not in usable:
        pytest.skip("the SM2 backend openssl is not usable here")
    real = openssl.load()
    backends._load.cache_clear()
    monkeypatch.setattr(platform, "machine", lambda: machine)
    backend = real._replace(libcrypto=StandIn(real.libcrypto, OpenSSL_version_num=lambda: version))
    monkeypatch.setattr(openssl, "load", lambda: backend)
    first = ("portable", "openssl") if branches else ("openssl", "portable")
    assert available_backends()[:2] == first
    assert available_backends()[2:] == usable[2:]
    assert select_backend(None).name == Sm2Key.generate().backend == first[0]
    assert Sm2Key.generate(backend="openssl").backend == "openssl"


class Careless:
    """A backend with a defect: the given functions change the results of a right one."""

    name = "portable"
    is_default = True

    def __init__(
        self,
        decrypt: Callable[[Any, int, Sm2Ciphertext], bytes | None] = lambda right, _, parts: right(
            parts
        ),
        encrypt: Callable[[Any, bytes], Sm2Ciphertext] = lambda right, plaintext: right(plaintext),
    ) -> None:
        """Take the functions that decrypt and encrypt; each first gets the right function."""
        self._decrypt, self._encrypt = decrypt, encrypt

    def decryptor(self, scalar: int, public_point: Point) -> scheme.Decryptor:
        """See `Backend`."""
        right = RIGHT.decryptor(scalar, public_point)
        return lambda parts: self._decrypt(right, scalar, parts)

    def encryptor(self, public_point: Point) -> scheme.Encryptor:
        """See `Backend`."""
        right = RIGHT.encryptor(public_point)
        return lambda plaintext: self._encrypt(right, plaintext)


def unchecked(_right: Any, scalar: int, parts: Sm2Ciphertext) -> bytes:
    """Decrypt without a check of C3, of the curve or of the key stream."""
    return decrypt_unchecked(scalar, Parts(*parts.c1, parts.c3, parts.c2))


def inverted(data: bytes) -> bytes:
    """Return the complement of every byte."""
    return bytes(255 - byte for byte in data)


FAILING = {
    "opens nothing": Careless(lambda *_arguments: None),
    "gives another plaintext": Careless(lambda *each: inverted(unchecked(*each))),
    "gives a longer plaintext": Careless(lambda *each: unchecked(*each) + b"\x00"),
    "looks at nothing": Careless(unchecked),
    "takes an altered C3": Careless(
        lambda right, d, parts: (
            unchecked(right, d, parts._replace(c3=EXAMPLE.c3))
            if parts.c2 == EXAMPLE.c2
            else right(parts)
        )
    ),
    "takes an altered C2": Careless(
        lambda right, d, parts: (
            unchecked(right, d, parts) if parts.c3 == EXAMPLE.c3 else right(parts)
        )
    ),
    "encrypts something else": Careless(encrypt=lambda right, plaintext: right(plaintext[::-1])),
    "encrypts with a wrong C3": Careless(
        encrypt=lambda right, plaintext: right(plaintext)._replace(c3=bytes(32))
    ),
    "encrypts with a wrong C2": Careless(
        encrypt=lambda right, plaintext: right(plaintext)._replace(c2=bytes(len(plaintext)))
    ),
    "encrypts with a wrong C1": Careless(
        encrypt=lambda right, plaintext: right(plaintext)._replace(c1=Point(*PUBLIC))
    ),
    "encrypts to a point off the curve": Careless(
        encrypt=lambda right, plaintext: right(plaintext)._replace(c1=Point(1, 1))
    ),
    "is wrong in both directions alike": Careless(
        lambda right, _, parts: (plaintext := right(parts)) and plaintext[::-1],
        lambda right, plaintext: right(plaintext[::-1]),
    ),
}


@pytest.mark.parametrize("broken", FAILING.values(), ids=FAILING)
def test_a_backend_with_a_defect_is_rejected(
    broken: Careless, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The self-test rejects it: it is not listed, not the default and not available by name."""
    assert not passes_self_test(broken)
    monkeypatch.setattr(portable, "load", lambda: broken)
    assert "portable" not in available_backends()
    with raises_exactly(UnsupportedAlgorithmError, "not usable here: it failed its self-test"):
        select_backend("portable")


def test_a_right_backend_passes_the_self_test(backend: str) -> None:
    """A right backend passes the self-test, and so does the backend above without a defect."""
    assert passes_self_test(select_backend(backend))
    assert passes_self_test(Careless())


def lax(right: Any, scalar: int, parts: Sm2Ciphertext) -> bytes | None:
    """Check C3 only if the ciphertext is as long as the example."""
    if len(parts.c2) == len(EXAMPLE.c2):
        plaintext: bytes | None = right(parts)
        return plaintext
    return unchecked(right, scalar, parts)


LAX = Careless(lax)


def test_a_backend_that_accepts_points_off_the_curve_gets_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The scheme checks the point itself, so such a backend is safe and passes the self-test.

    Without the scheme's check, the self-test rejects it.
    """
    assert passes_self_test(LAX)
    monkeypatch.setattr(encodings, "is_on_curve", lambda _point: True)
    assert not passes_self_test(LAX)


def test_a_backend_that_accepts_a_key_stream_of_zeros_decrypts_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The scheme compares C2 with the plaintext, so such a backend is safe and passes.

    Without the scheme's comparison, the self-test rejects it.
    """
    assert passes_self_test(LAX)

    def without_the_comparison(decryptor: scheme.Decryptor, ciphertext: bytes) -> bytes | None:
        try:
            return decryptor(parse(ciphertext, Sm2Encoding.C1C3C2))
        except InvalidBlobError:
            return None

    monkeypatch.setattr(selftest, "decrypt", without_the_comparison)
    assert not passes_self_test(LAX)


@pytest.mark.parametrize(
    "error", [RuntimeError("libcrypto failed to encrypt"), InvalidBlobError("not DER of GM/T 0009")]
)
def test_a_backend_that_cannot_encrypt_is_rejected(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in encryption fails the self-test, and the other backends are usable."""

    def failing(_right: Any, _plaintext: bytes) -> NoReturn:
        raise error

    monkeypatch.setattr(openssl, "load", lambda: Careless(encrypt=failing))
    assert available_backends()[0] == "portable"
    with raises_exactly(UnsupportedAlgorithmError, "the SM2 backend openssl is not usable here"):
        select_backend("openssl")


def test_encryption_stops_after_100_key_streams_of_zeros() -> None:
    """Encryption draws k at most 100 times, and then raises an error."""
    draws: list[bytes] = []

    def unencrypted(right: Any, plaintext: bytes) -> Sm2Ciphertext:
        draws.append(plaintext)
        parts: Sm2Ciphertext = right(plaintext)
        return parts._replace(c2=plaintext)

    backend = Careless(encrypt=unencrypted)
    with raises_exactly(RuntimeError, "does not encrypt"):
        scheme.encrypt(backend.encryptor(Point(*PUBLIC)), b"text")
    assert len(draws) == 100
    assert not passes_self_test(backend)


def test_the_self_test_runs_once_per_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend is loaded and tested at its first use, and then kept."""
    loads: list[str] = []
    load = portable.load

    def counted() -> Any:
        loads.append("portable")
        return load()

    monkeypatch.setattr(portable, "load", counted)
    for _ in range(3):
        available_backends()
        Sm2Key.from_scalar("sm2", "v1", SCALAR, backend="portable")
    assert loads == ["portable"]
