"""The specification: its worked examples are correct, and its tables agree with the code."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias, cast

import pytest
from constructions import coordinates, derive, encrypt_blocks, key_stream, mgf1, sm3, xor
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kmscore import (
    CiphertextBlob,
    EncryptionContext,
    Keyring,
    KeySpec,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    alibaba,
    asymmetric_decrypt,
    decrypt,
    errors,
    hazmat,
    sm2,
)
from kmscore.algorithms import (
    ENCRYPTION_ALGORITHMS,
    KEY_SPECS,
    MAX_DATA_KEY_LENGTH,
    MAX_PLAINTEXT_LENGTH,
)
from kmscore.alibaba import service_errors
from kmscore.alibaba.parameters import ACTIONS
from kmscore.alibaba.profile import ContextBinding, Payload, SortOrder
from kmscore.alibaba.service_blob import MAX_PAYLOAD_LENGTH, MAX_SERVICE_BLOB_LENGTH
from kmscore.blob import MAX_BLOB_LENGTH
from kmscore.context import MAX_CANONICAL_LENGTH, MAX_JSON_LENGTH
from kmscore.sm2.backends.portable import multiply
from kmscore.sm2.curve import A, B, G, N, P, Point, is_on_curve
from kmscore.sm2.encodings import MAX_C2_LENGTH, MAX_LENGTHS
from kmscore_vectors.files import installed_folder, load
from kmscore_vectors.generator import accumulated
from kmscore_vectors.generator.model import OUTPUTS
from kmscore_vectors.generator.streams import CHARACTERS

SPEC: Final = Path(__file__).resolve().parents[1] / "SPEC.md"
pytestmark = pytest.mark.skipif(not SPEC.is_file(), reason="the specification is not there")

Value: TypeAlias = bytes | str
Example: TypeAlias = dict[str, Value]


class Given:
    """The values of an example, by name and type."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        """Take the values."""
        self._values = values

    def data(self, name: str) -> bytes:
        """Return a byte string."""
        value = self._values[name]
        assert isinstance(value, bytes)
        return value

    def number(self, name: str) -> int:
        """Return a byte string as an integer."""
        return int.from_bytes(self.data(name), "big")

    def text(self, name: str) -> str:
        """Return a text."""
        value = self._values[name]
        assert isinstance(value, str)
        return value

    def only(self, *names: str) -> Example:
        """Return the values from which the others follow."""
        return {name: self._values[name] for name in names}


@cache
def sections() -> dict[str, str]:
    """Return the text of each section, by the number of its heading."""
    parts = re.split(r"^#{2,3} ([\d.]+?)\.? .*$", SPEC.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(number: str) -> list[list[str]]:
    """Return the cells of every table of a section, without backticks."""
    lines = [line for line in sections()[number].splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = {index for index, row in enumerate(table) if set(row[0]) == {"-"}}
    heads = {index - 1 for index in rules}
    bodies = [row for index, row in enumerate(table) if index not in rules | heads]
    return [[cell.replace("`", "") for cell in row] for row in bodies]


def stated(number: str) -> Example:
    """Return the values in the one code block of a section."""
    (block,) = re.findall(r"^```\n(.*?)^```$", sections()[number], re.DOTALL | re.MULTILINE)
    example: Example = {}
    for line in block.replace("\n  ", "").splitlines():
        name, value = (part.strip() for part in line.split("=", 1))
        assert name not in example
        if value.startswith('"'):
            example[name] = cast("str", json.loads(value))
        else:
            example[name] = value if value.startswith("{") else bytes.fromhex(value)
    return example


def ghash(h: bytes, data: bytes) -> bytes:
    """Return GHASH of whole blocks (NIST SP 800-38D sections 6.3 and 6.4)."""
    y = 0
    for offset in range(0, len(data), 16):
        x, v, y = y ^ int.from_bytes(data[offset : offset + 16], "big"), int.from_bytes(h, "big"), 0
        for bit in range(127, -1, -1):
            y ^= v * (x >> bit & 1)
            v = v >> 1 ^ (v & 1) * (0xE1 << 120)
    return y.to_bytes(16, "big")


def blob_layout(given: Given) -> Example:
    """Recompute section 12.1."""
    blob = CiphertextBlob(
        Suite(given.number("suite_id")),
        given.text("key_id"),
        given.text("key_version_id"),
        *(given.data(name) for name in ("IV", "ciphertext", "tag")),
    )
    raw = blob.serialize()
    assert CiphertextBlob.parse(raw) == blob == CiphertextBlob.from_base64(blob.to_base64())
    fields = {field.name: raw[field.offset :][: field.length] for field in blob.layout()}
    names = {
        "magic": "magic",
        "format version": "format_version",
        "suite ID": "suite_id",
        "key ID length": "key_id_length",
        "key ID": "key_id_bytes",
        "key version ID length": "key_version_id_length",
        "key version ID": "key_version_id_bytes",
        "IV": "IV",
        "ciphertext": "ciphertext",
        "tag": "tag",
    }
    return {
        **given.only("key_id", "key_version_id"),
        **{names[name]: field for name, field in fields.items()},
        "header": blob.header,
        "blob": raw,
        "base64": blob.to_base64(),
    }


def context(given: Given) -> Example:
    """Recompute section 12.2 or 12.3."""
    encryption_context = EncryptionContext.from_json(given.text("json"))
    pairs = sorted((key.encode(), value.encode()) for key, value in encryption_context.items())
    example = given.only("json")
    for ordinal, (key, value) in zip(("first", "second", "third"), pairs, strict=False):
        example |= {f"{ordinal}_key": key, f"{ordinal}_value": value}
    return example | {"canonical": encryption_context.canonical}


def blob_of(given: Given, suite: Suite, spec: KeySpec, iv: bytes) -> CiphertextBlob:
    """Return the blob that the library seals with a given IV, and check that it opens again."""
    key = SymmetricKey(
        given.text("key_id"), given.text("key_version_id"), spec, given.data("K"), suite=suite
    )
    ring, pairs = Keyring([key]), json.loads(given.text("json"))
    sealed = hazmat.encrypt(ring, key.key_id, given.data("P"), pairs, iv=iv).ciphertext_blob
    assert decrypt(ring, sealed, pairs).plaintext == given.data("P")
    return CiphertextBlob.parse(sealed)


def gcm_steps(
    cipher: BlockCipherAlgorithm, iv: bytes, plaintext: bytes, associated_data: bytes
) -> dict[str, bytes]:
    """Return every step of GCM (NIST SP 800-38D section 7.1)."""
    counters = range(2, 2 + (len(plaintext) + 15) // 16)
    blocks = encrypt_blocks(cipher, b"".join(iv + n.to_bytes(4, "big") for n in counters))
    stream = blocks[: len(plaintext)]
    ciphertext = xor(plaintext, stream)
    lengths = [(8 * len(part)).to_bytes(8, "big") for part in (associated_data, ciphertext)]
    padded = [part + bytes(-len(part) % 16) for part in (associated_data, ciphertext)]
    h = encrypt_blocks(cipher, bytes(16))
    s = ghash(h, b"".join(padded + lengths))
    counter_block = iv + bytes.fromhex("00000001")
    mask = encrypt_blocks(cipher, counter_block)
    return {
        "A": associated_data,
        "H": h,
        "J0": counter_block,
        "key_stream": stream,
        "C": ciphertext,
        "S": s,
        "E_J0": mask,
        "T": xor(mask, s),
    }


def gcm(given: Given, cipher: BlockCipherAlgorithm, iv: bytes, blob: CiphertextBlob) -> Example:
    """Return every step of GCM for `blob`."""
    associated_data = blob.header + EncryptionContext.from_json(given.text("json")).canonical
    steps = gcm_steps(cipher, iv, given.data("P"), associated_data)
    assert (blob.ciphertext, blob.tag) == (steps["C"], steps["T"])
    return {
        **given.only("key_id", "key_version_id", "json", "K", "P"),
        **steps,
        "blob": blob.serialize(),
    }


def aes_256_gcm(given: Given) -> Example:
    """Recompute section 12.4."""
    blob = blob_of(given, Suite.AES_256_GCM, KeySpec.AES_256, given.data("IV"))
    return {"IV": blob.iv, **gcm(given, AES(given.data("K")), blob.iv, blob)}


def sm4_gcm(given: Given) -> Example:
    """Recompute section 12.5."""
    blob = blob_of(given, Suite.SM4_GCM, KeySpec.SM4, given.data("IV"))
    return {"IV": blob.iv, **gcm(given, SM4(given.data("K")), blob.iv, blob)}


def xaes_256_gcm(given: Given) -> Example:
    """Recompute section 12.6."""
    aes = AES(given.data("K"))
    blob = blob_of(given, Suite.XAES_256_GCM, KeySpec.AES_256, given.data("N"))
    block, k1, inputs, masked, derived = derive(given.data("K"), blob.iv)
    macs = [CMAC(aes), CMAC(aes)]
    for mac, message in zip(macs, inputs, strict=True):
        mac.update(message)
    assert b"".join(mac.finalize() for mac in macs) == derived
    return {
        "N": blob.iv,
        "L": block,
        "K1": k1,
        "M1": inputs[0],
        "M2": inputs[1],
        "M1_xor_K1": masked[0],
        "M2_xor_K1": masked[1],
        "derived_key": derived,
        **gcm(given, AES(derived), blob.iv[12:], blob),
    }


def rsaes_oaep(given: Given) -> Example:
    """Recompute section 12.7."""
    p, q, e = (given.number(name) for name in ("p", "q", "e"))
    n, d = p * q, pow(e, -1, (p - 1) * (q - 1))
    message, seed = given.data("M"), given.data("seed")
    label_hash = hashlib.sha256().digest()
    db = label_hash + bytes(256 - 2 * 32 - 2 - len(message)) + b"\x01" + message
    db_mask = mgf1("sha256", seed, len(db))
    masked_db = xor(db, db_mask)
    seed_mask = mgf1("sha256", masked_db, len(seed))
    em = b"\x00" + xor(seed, seed_mask) + masked_db
    ciphertext = pow(int.from_bytes(em, "big"), e, n).to_bytes(256, "big")
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, n)
    )
    der = numbers.private_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    ring = Keyring([RsaKey.from_der("key", "1", der)])
    opened = asymmetric_decrypt(ring, "key", "1", "RSAES_OAEP_SHA_256", ciphertext)
    return {
        **given.only("p", "q", "e", "seed"),
        "M": opened.plaintext,
        "n": n.to_bytes(256, "big"),
        "d": d.to_bytes(256, "big"),
        "lHash": label_hash,
        "DB": db,
        "dbMask": db_mask,
        "maskedDB": masked_db,
        "seedMask": seed_mask,
        "maskedSeed": xor(seed, seed_mask),
        "EM": em,
        "ciphertext": ciphertext,
    }


def sm2pke(given: Given) -> Example:
    """Recompute section 12.8."""
    d, k, message = given.number("d"), given.number("k"), given.data("M")
    key = Sm2Key.from_scalar("key", "1", d)
    public_point = multiply(d, G)
    (x1, y1), (x2, y2) = coordinates(multiply(k, G)), coordinates(multiply(k, public_point))
    x, y = coordinates(public_point)
    first, second = (sm3(x2, y2, n.to_bytes(4, "big")) for n in (1, 2))
    stream = key_stream(x2, y2, len(message))
    assert stream == (first + second)[: len(message)]
    sealed = hazmat.sm2_encrypt(key.public_key, message, k)
    assert sealed == b"\x04" + x1 + y1 + sm3(x2, message, y2) + xor(message, stream)
    encoded: Example = {name.value: sm2.convert(sealed, "C1C3C2", name) for name in sm2.Sm2Encoding}
    opened = {
        asymmetric_decrypt(Keyring([key]), "key", "1", "SM2PKE", cast("bytes", encoded[name]))
        for name in ("C1C3C2", "ASN1_DER")
    }
    assert {result.plaintext for result in opened} == {message}
    return {
        **given.only("d", "k", "M"),
        "xP": x,
        "yP": y,
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "SM3_x2_y2_1": first,
        "SM3_x2_y2_2": second,
        "t": stream,
        "C2": xor(message, stream),
        "C3": sm3(x2, message, y2),
        **encoded,
    }


def reencryption(given: Given) -> Example:
    """Recompute section 12.9."""
    source_blob = CiphertextBlob.parse(given.data("source_blob"))
    source = SymmetricKey(
        source_blob.key_id,
        source_blob.key_version_id,
        KeySpec.AES_256,
        given.data("source_key"),
        suite=Suite.AES_256_GCM,
    )
    destination = SymmetricKey(
        given.text("destination_key_id"),
        given.text("destination_key_version_id"),
        KeySpec.AES_256,
        given.data("destination_key"),
    )
    ring = Keyring([source, destination])
    contexts = [json.loads(given.text(name)) for name in ("source_json", "destination_json")]
    result = hazmat.reencrypt(
        ring,
        given.data("source_blob"),
        destination.key_id,
        source_context=contexts[0],
        destination_context=contexts[1],
        iv=given.data("destination_IV"),
    )
    assert result.ciphertext_blob is not None
    blob = CiphertextBlob.parse(result.ciphertext_blob)
    return {
        **given.only("source_key", "source_blob", "source_json"),
        **given.only("destination_key_id", "destination_key_version_id", "destination_key"),
        **given.only("destination_json"),
        "destination_IV": blob.iv,
        "plaintext": decrypt(ring, result.ciphertext_blob, contexts[1]).plaintext,
        "destination_A": blob.header + EncryptionContext(contexts[1]).canonical,
        "destination_blob": result.ciphertext_blob,
    }


def service_layout(given: Given) -> Example:
    """Recompute section 12.10."""
    pairs = json.loads(given.text("json"))
    text = "&".join(f"{key}={pairs[key]}" for key in sorted(pairs))
    payload = base64.b64encode(given.data("plaintext"))
    digest = hashlib.sha256(text.encode()).digest()
    steps = gcm_steps(AES(given.data("K")), given.data("IV"), payload, digest)
    blob = b"".join(
        (given.text("key_version_id").encode(), given.data("IV"), steps["C"], steps["T"])
    )
    key = SymmetricKey(
        "key",
        given.text("key_version_id"),
        KeySpec.AES_256,
        given.data("K"),
        suite=Suite.AES_256_GCM,
    )
    opened = alibaba.decrypt(
        alibaba.VersionIndex(Keyring([key])),
        blob,
        pairs,
        profile=alibaba.Profile.ALIBABA,
        allow_ambiguous=True,
    )
    return {
        **given.only("key_version_id", "json", "K", "IV"),
        "plaintext": opened.plaintext,
        "text": text,
        "P": payload,
        **steps,
        "blob": blob,
        "base64": base64.b64encode(blob).decode(),
    }


EXAMPLES: Final[Mapping[str, Callable[[Given], Example]]] = {
    "12.1": blob_layout,
    "12.2": context,
    "12.3": context,
    "12.4": aes_256_gcm,
    "12.5": sm4_gcm,
    "12.6": xaes_256_gcm,
    "12.7": rsaes_oaep,
    "12.8": sm2pke,
    "12.9": reencryption,
    "12.10": service_layout,
}


@pytest.mark.parametrize("number", EXAMPLES)
def test_an_example_follows_from_what_it_gives(number: str) -> None:
    """Every value of a worked example follows from its first values."""
    example = stated(number)
    assert EXAMPLES[number](Given(example)) == example


def test_no_example_is_left_out() -> None:
    """Each section with worked values is recomputed, and sections with one blob agree on it."""
    with_values = {number for number, text in sections().items() if "\n```\n" in text}
    assert with_values == {*EXAMPLES, "7.1"}
    assert stated("12.1")["blob"] == stated("12.4")["blob"] == stated("12.9")["source_blob"]
    assert stated("12.2")["json"] == stated("12.4")["json"] == stated("12.9")["source_json"]


def test_the_curve() -> None:
    """The parameters are those of the library, and G is on the curve."""
    x, y = coordinates(G)
    numbers = {"p": P, "a": A, "b": B, "n": N}
    due: Example = {name: number.to_bytes(32, "big") for name, number in numbers.items()}
    assert stated("7.1") == due | {"xG": x, "yG": y}
    assert is_on_curve(G)
    assert multiply(N - 1, G) == Point(G.x, P - G.y)


def test_the_suites_and_key_specs() -> None:
    """The tables of section 5.1 are those of the library, the default suite first."""
    table = rows("5.1")
    suites = [
        [f"{suite.value:02x}", suite.name, str(suite.key_length), str(suite.iv_length)]
        for suite in Suite
    ]
    assert [[*row[:2], *row[3:5]] for row in table if len(row) == 6] == suites
    limits = [2 ** int(row[5].removeprefix("2^")) for row in table if len(row) == 6]
    assert limits == [suite.message_limit for suite in Suite]
    specs = {row[0]: (row[1], re.findall(r"\w+_GCM", row[2])) for row in table if len(row) == 3}
    assert specs == {
        spec.value: (f"{row.suites[0].key_length} bytes", [suite.name for suite in row.suites])
        for spec, row in KEY_SPECS.items()
        if row.suites
    }


def test_the_asymmetric_algorithms_and_encodings() -> None:
    """The tables of sections 6 and 7.2 list the library's names, with its lengths."""
    lengths = {
        algorithm.value: str(hashlib.new(row.hash_name).digest_size)
        for algorithm, row in ENCRYPTION_ALGORITHMS.items()
        if row.hash_name != "sm3"
    }
    assert {row[0]: row[2] for row in rows("6")} == lengths
    longest = {row[0]: int(row[2].replace(",", "")) for row in rows("7.2")}
    assert longest == {encoding.value: length for encoding, length in MAX_LENGTHS.items()}


@pytest.mark.parametrize(
    ("number", "limit"),
    [
        ("3.2", MAX_BLOB_LENGTH),
        ("3.2", MAX_PLAINTEXT_LENGTH),
        ("3.3", MAX_BLOB_LENGTH),
        ("3.5", -(-MAX_BLOB_LENGTH // 3) * 4),
        ("4.1", MAX_CANONICAL_LENGTH),
        ("4.2", MAX_JSON_LENGTH),
        ("5.5", MAX_PLAINTEXT_LENGTH),
        ("5.6", MAX_PLAINTEXT_LENGTH),
        ("7.2", MAX_C2_LENGTH),
        ("7.3", MAX_C2_LENGTH),
        ("7.4", MAX_C2_LENGTH),
        ("7.5", max(MAX_LENGTHS.values())),
        ("8", MAX_PLAINTEXT_LENGTH),
        ("13.2", MAX_SERVICE_BLOB_LENGTH),
        ("13.2", MAX_PAYLOAD_LENGTH),
        ("13.3", MAX_CANONICAL_LENGTH),
        ("13.5", MAX_PLAINTEXT_LENGTH),
        ("13.5", MAX_PAYLOAD_LENGTH),
        ("14.1", MAX_JSON_LENGTH),
        ("14.1", MAX_PLAINTEXT_LENGTH),
        ("14.1", MAX_PAYLOAD_LENGTH),
        ("14.1", MAX_DATA_KEY_LENGTH),
    ],
)
def test_the_limits(number: str, limit: int) -> None:
    """Every limit of a length is the library's limit."""
    assert f"{limit:,}" in sections()[number]


def test_the_errors() -> None:
    """Section 9 lists every code of the library once, and the sections use only these codes."""
    codes = [row[0] for row in rows("9")]
    leaves = errors.KmsCoreError.__subclasses__()
    assert sorted(codes) == sorted(leaf.code for leaf in leaves)
    used = re.findall(r"[Ff]ail\s+with\s+`(\w+)`", SPEC.read_text("utf-8"))
    assert {*used} - {"code"} <= {*codes}


def test_the_options_of_a_profile() -> None:
    """Section 13.1 lists the fields of a profile with their values, the defaults first."""
    names = ["payload", "sort_order", "empty_is_absent", "context_binding", "prefix"]
    listed = {row[0]: row[1] for row in rows("13.1")}
    assert list(listed) == names
    assert listed["payload"] == ", ".join(Payload)
    assert listed["sort_order"] == ", ".join(SortOrder)
    assert listed["context_binding"] == ", ".join(ContextBinding)
    default = alibaba.Profile()
    assert [default.payload, default.sort_order] == [next(iter(Payload)), next(iter(SortOrder))]
    assert default.context_binding is next(iter(ContextBinding))
    assert not any((default.empty_is_absent, default.prefix))


def test_the_parameters_of_the_actions() -> None:
    """Section 14.1 lists the parameters of each action, in the order of the checks."""
    listed = {row[0]: [cell.split(", ") for cell in row[1:]] for row in rows("14.1")}
    for name, action in ACTIONS.items():
        required = [row.name for row in action.parameters if row.is_required]
        optional = [row.name for row in action.parameters if not row.is_required]
        assert listed[name] == [required, optional or [""]]


def test_the_errors_of_the_service() -> None:
    """Section 14.4 has the status and message of every error, except the service's own errors."""
    named = [service_errors.missing_parameter("NAME"), service_errors.invalid_parameter("NAME")]
    fixed = [
        service_errors.UNSUPPORTED_ALIAS,
        service_errors.UNSUPPORTED_OPERATION,
        service_errors.NO_PERMISSION,
        service_errors.KEY_NOT_FOUND,
        service_errors.KEY_VERSION_NOT_FOUND,
        service_errors.ALIAS_NOT_FOUND,
        *service_errors.REJECTED.values(),
        service_errors.DRY_RUN_PASSED,
    ]
    listed = [(int(row[1]), row[0], row[2]) for row in rows("14.4")]
    assert sorted(listed[:-2]) == sorted((*fault,) for fault in (*named, *fixed))
    denied, failed = (
        service_errors.of_dry_run(fault) for fault in (service_errors.NO_PERMISSION, named[0])
    )
    assert [row[:2] for row in listed[-2:]] == [denied[:2], failed[:2]]


def test_the_operations() -> None:
    """Section 11.2 lists the outputs that each operation has in the vector files."""
    outputs = {row[0]: tuple(row[2].split(", ")) for row in rows("11.2")}
    assert outputs | {"accumulated": ("digest",)} == OUTPUTS


def test_the_keys_of_accumulated_tests() -> None:
    """Section 11.4 draws from the first keys in the files."""
    files = dict(load(installed_folder(), ("rsa_oaep", "sm2pke", "reencrypt")))
    first = {name: tests[0].inputs for name, tests in files.items()}
    for name in ("rsa_oaep", "sm2pke"):
        drawn = next(iter(accumulated.draw(name))).inputs
        assert drawn["private_key"] == first[name]["private_key"]
    keys = first["reencrypt"]["keys"][:5]
    used = [
        key for case in islice(accumulated.draw("reencrypt"), 200) for key in case.inputs["keys"]
    ]
    assert all(key in keys for key in used)
    assert all(key in used for key in keys)


def test_the_characters_of_accumulated_tests() -> None:
    """The list of section 11.4 is the list from which texts are drawn."""
    listed = re.findall(r"U\+([0-9A-F]{4,6})", sections()["11.4"])
    assert [chr(int(number, 16)) for number in listed] == [*CHARACTERS]
