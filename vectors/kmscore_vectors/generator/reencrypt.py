"""The vectors of re-encryption: a keyring, a request, and a blob or an error."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, product
from typing import Final

from kmscore_vectors.generator import affine, keyring, oaep
from kmscore_vectors.generator.keyring import (
    PER_SUITE,
    RING,
    SymmetricTestKey,
    TestKey,
    ring_field,
)
from kmscore_vectors.generator.model import (
    Case,
    Fields,
    Group,
    Json,
    Note,
    VectorFile,
    hex_fields,
    pairs_field,
)
from kmscore_vectors.generator.oaep import PUBLIC_EXPONENT, RsaTestKey
from kmscore_vectors.generator.published_keys import (
    RSA_2048,
    RSA_3072,
    SM2_PUBLIC_POINT,
    SM2_SCALAR,
)
from kmscore_vectors.generator.suites import trace_of
from kmscore_vectors.generator.wire import Pairs, header_bytes
from kmscore_vectors.tables import (
    BugType,
    EncryptionAlgorithm,
    ErrorCode,
    KeyState,
    Severity,
    Suite,
)

_MESSAGE: Final = bytes(range(0x40, 0x60))
_OLD: Final = (("purpose", "backup"), ("owner", "old"))
_NEW: Final = (("purpose", "backup"), ("owner", "new"))
_MOST_PLAINTEXT: Final = 6144
_HASHES: Final = {
    EncryptionAlgorithm.RSAES_OAEP_SHA_256: "sha256",
    EncryptionAlgorithm.RSAES_OAEP_SHA_1: "sha1",
}
_AES: Final = PER_SUITE[Suite.AES_256_GCM]
_XAES: Final = PER_SUITE[Suite.XAES_256_GCM]
# rsaEncryption without parameters; RSASSA-PSS, for signatures only, without and with NULL.
_RSA_WITHOUT_NULL: Final = bytes.fromhex("300b06092a864886f70d010101")
_RSASSA_PSS: Final = bytes.fromhex("300b06092a864886f70d01010a")
_RSASSA_PSS_NULL: Final = bytes.fromhex("300d06092a864886f70d01010a0500")
# The field of ECPrivateKey that names a curve again: P-256.
_P256_WITHIN: Final = bytes.fromhex("a00a06082a8648ce3d030107")
_WIDE: Final = (("k", "v" * 65_529),)  # one byte more than a canonical context may have

_NOTES: Final = {
    "Valid": Note(
        "A ciphertext moves to another key, another version or another context.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "Rotation": Note(
        "The destination is the source's own key, and its primary version seals.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "Context": Note(
        "The key stays, and the encryption context changes.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "Asymmetric": Note(
        "The source is a bare ciphertext of RSA or SM2.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "SourceId": Note(
        "The caller says which source key or version it means, and it is that.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "DryRun": Note(
        "Everything is checked and nothing is sealed: there is no new blob.",
        "A dry run that is ignored changes what it should only have tried.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "Boundary": Note(
        "The shortest or longest plaintext, or IDs of 255 bytes.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "InvalidBlob": Note(
        "The source does not parse as a v1 blob.",
        "What does not parse is taken for another format, by guessing.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "ContextSize": Note(
        "The canonical form of a context would have more than 65,535 bytes.",
        "A length that wraps around in its two bytes: another context with the same bytes.",
        ("https://cwe.mitre.org/data/definitions/190.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "AsymmetricContext": Note(
        "A source context for a ciphertext that binds none.",
        "A context that is accepted and ignored: the caller believes in a binding that is not.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "UnknownKey": Note(
        "No key has this ID.",
        "Trial decryption, or a default key in its place.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "UnknownVersion": Note(
        "The key has no version of this ID.",
        "Trial decryption over the versions that there are.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "KeyState": Note(
        "A key version is disabled, pending deletion or pending import.",
        "A key that was taken out of use after a compromise still opens or seals.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "KeyUsage": Note(
        "A symmetric key where an asymmetric one is due, the reverse, or another algorithm's key.",
        "Bytes of one algorithm are computed on with the key of another.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "OtherSource": Note(
        "The caller names another source key or version than the header does.",
        "A source ID that is accepted and never compared: permission is asked for one key and"
        " another one opens.",
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "OtherSuite": Note(
        "The header names a suite that is not the key's.",
        "One key under two algorithms: what is safe under each need not be under both.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "UnknownAlgorithm": Note(
        "No algorithm has this name.",
        "A default takes its place, and another algorithm runs than the answer says.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "PlaintextSize": Note(
        "The source holds more than 6,144 bytes.",
        "A limit that one operation keeps and another does not leaves blobs that cannot be moved.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "Modified": Note(
        "One bit of IV, ciphertext or tag is another.",
        "Forged plaintexts are sealed anew, and are then under a right tag.",
        ("https://cwe.mitre.org/data/definitions/347.html",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "OtherContext": Note(
        "Another source context than the ciphertext was sealed under.",
        "Re-encryption launders a ciphertext from one context into another.",
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "MovedHeader": Note(
        "The header of another key or version that has the same material.",
        "A header that nobody authenticates: policies by key ID are got round.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 5.2",
    ),
    "ModifiedAsymmetric": Note(
        "A bare ciphertext that does not open.",
        "Chosen ciphertexts are answered: padding oracles, and for SM2 the private key.",
        ("https://archiv.infsec.ethz.ch/education/fs08/secsem/manger01.pdf",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "BadKey": Note(
        "A key or a ring that cannot be one.",
        "Material that is cut, padded or hashed to fit; or one ID for two keys, of which either may"
        " be found.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 11.3",
    ),
}


def make() -> VectorFile:
    """Return the file."""
    cases = chain(
        _valid(), _asymmetric(), _wrong_blobs(), _wrong_contexts(), _wrong_keys(), _wrong_ids(),
        _wrong_tags(), _wrong_asymmetric(),
    )  # fmt: skip
    return VectorFile(
        name="reencrypt",
        algorithm="kmscore-v1-reencrypt",
        header=(
            "Re-encryption as a whole: the keys, a request, and the new blob or an error.",
            "The last version that is given for a key ID is its primary one.",
            "The keys are test keys, known to everybody.",
        ),
        notes=_NOTES,
        groups=(
            Group("reencrypt", tuple(cases), {"keys": ring_field(RING)}),
            Group("reencrypt", tuple(_wrong_rings())),
        ),
    )


def request(
    blob: bytes,
    destination: SymmetricTestKey,
    iv: bytes,
    *,
    source_pairs: Pairs = (),
    destination_pairs: Pairs = (),
    source_key_id: str | None = None,
    source_key_version_id: str | None = None,
    source_algorithm: EncryptionAlgorithm | None = None,
    dry_run: bool = False,
) -> Fields:
    """Return the inputs of a request."""
    return {
        "ciphertext_blob": blob.hex(),
        "destination_key_id": destination.key_id,
        "source_pairs": pairs_field(source_pairs),
        "destination_pairs": pairs_field(destination_pairs),
        "source_key_id": source_key_id,
        "source_key_version_id": source_key_version_id,
        "source_algorithm": source_algorithm.value if source_algorithm else None,
        "dry_run": dry_run,
        "iv": iv.hex(),
    }


def response(
    source: TestKey,
    destination: SymmetricTestKey,
    blob: bytes | None,
    algorithm: EncryptionAlgorithm | None = None,
) -> Fields:
    """Return the outputs of a request."""
    return {
        "response": {
            "ciphertext_blob": None if blob is None else blob.hex(),
            "source_key_id": source.key_id,
            "source_key_version_id": source.key_version_id,
            "destination_key_id": destination.key_id,
            "destination_key_version_id": destination.key_version_id,
            "source_algorithm": algorithm.value if algorithm else None,
            "destination_suite_id": f"{destination.suite.value:02x}",
        }
    }


def _move(
    comment: str,
    flag: str,
    source: SymmetricTestKey,
    destination: SymmetricTestKey,
    *,
    plaintext: bytes = _MESSAGE,
    source_pairs: Pairs = _OLD,
    destination_pairs: Pairs = _NEW,
    source_key_id: str | None = None,
    source_key_version_id: str | None = None,
    dry_run: bool = False,
) -> Case:
    """Return a test that re-encrypts a blob."""
    fields = request(
        source.blob(plaintext, source_pairs, source.iv(comment)),
        destination,
        destination.iv(f"new {comment}"),
        source_pairs=source_pairs,
        destination_pairs=destination_pairs,
        source_key_id=source_key_id,
        source_key_version_id=source_key_version_id,
        dry_run=dry_run,
    )
    trace = hex_fields(sourceAssociatedData=source.associated_data(source_pairs))
    return _sealed(comment, flag, fields, source, destination, plaintext, destination_pairs, trace)


def _sealed(
    comment: str,
    flag: str,
    fields: Fields,
    source: TestKey,
    destination: SymmetricTestKey,
    plaintext: bytes,
    pairs: Pairs,
    trace: Fields,
    algorithm: EncryptionAlgorithm | None = None,
) -> Case:
    """Return a test that succeeds."""
    iv = bytes.fromhex(str(fields["iv"]))
    aad = destination.associated_data(pairs)
    trace = hex_fields(plaintext=plaintext) | trace
    if fields["dry_run"]:
        return Case(comment, flag, fields, response(source, destination, None, algorithm), trace)
    sealed = destination.seal(plaintext, pairs, iv)
    blob = destination.blob(plaintext, pairs, iv)
    return Case(
        comment,
        flag,
        fields,
        response(source, destination, blob, algorithm),
        trace | trace_of(destination.suite, pairs, aad, sealed),
    )


def _valid() -> Iterator[Case]:
    """Yield requests that re-encrypt a blob."""
    for old, new in product(PER_SUITE.values(), repeat=2):
        yield _move(f"{old.suite.name} to {new.suite.name}", "Valid", old, new)
    newest = keyring.ROTATED[-1]
    for key in keyring.ROTATED:
        yield _move(f"{key.key_version_id} to v3", "Rotation", key, newest)
    yield _move("from suite to suite", "Rotation", *keyring.MIGRATED)
    yield _move("back to an older primary version", "Rotation", *keyring.ROLLED_BACK)
    yield _move("from a key whose primary version is disabled", "Valid", keyring.FROZEN[0], _AES)
    yield _move("to a key whose older version is disabled", "Valid", _AES, keyring.RETIRED[1])
    for comment, old_pairs, new_pairs in (
        ("none to some", (), _NEW),
        ("some to none, which is not the same as keeping it", _OLD, ()),
        ("none to none", (), ()),
        ("the same, in another order", _OLD, _OLD[::-1]),
        ("another value", _OLD, _NEW),
        ("characters of two to four bytes", (("\u00e9", "\u20ac"),), (("\U0001f511", "\u00df"),)),
    ):
        key = keyring.ROTATED[-1]
        yield _move(
            comment, "Context", key, key, source_pairs=old_pairs, destination_pairs=new_pairs
        )
    named = keyring.ROTATED[0]
    for comment, key_id, version_id in (
        ("key", named.key_id, None),
        ("version", None, named.key_version_id),
        ("key and version", named.key_id, named.key_version_id),
    ):
        yield _move(
            f"the {comment} of the header", "SourceId", named, _AES, source_key_id=key_id,
            source_key_version_id=version_id,
        )  # fmt: skip
    yield _move("a blob", "DryRun", _AES, _XAES, dry_run=True)
    yield _move("a blob of the newest version", "DryRun", newest, newest, dry_run=True)
    yield _move("IDs in the form of the service", "Valid", keyring.SERVICE_NAME, _XAES)
    yield _move("from IDs of 255 bytes", "Boundary", keyring.LONG_NAME, _AES)
    yield _move("to IDs of 255 bytes", "Boundary", _AES, keyring.LONG_NAME)
    for length in (0, 1, _MOST_PLAINTEXT):
        plaintext = hashlib.shake_128(b"plaintext").digest(length)
        yield _move(f"{length} bytes", "Boundary", _AES, _XAES, plaintext=plaintext)


def _rsa_ciphertext(algorithm: EncryptionAlgorithm, message: bytes, hash_name: str = "") -> bytes:
    """Return a ciphertext under the RSA key of the keyring."""
    hash_name = hash_name or _HASHES[algorithm]
    seed = hashlib.new(hash_name, b"seed" + message).digest()
    db = oaep.data_block(hash_name, message, RSA_2048.length)
    return oaep.encrypt_em(RSA_2048, oaep.pad(hash_name, db, seed).em)


def _sm2_parts(message: bytes) -> affine.Sm2Parts:
    """Return a ciphertext under the SM2 key of the keyring."""
    k = int.from_bytes(hashlib.sha256(b"k" + message).digest(), "big") >> 1
    return affine.encrypt(SM2_PUBLIC_POINT, message, k)


def _take(
    comment: str,
    flag: str,
    algorithm: EncryptionAlgorithm,
    ciphertext: bytes,
    plaintext: bytes = _MESSAGE,
    *,
    destination: SymmetricTestKey = _XAES,
    dry_run: bool = False,
) -> Case:
    """Return a test whose source is an asymmetric ciphertext."""
    source = keyring.SM2 if algorithm is EncryptionAlgorithm.SM2PKE else keyring.RSA
    fields = request(
        ciphertext,
        destination,
        destination.iv(f"{algorithm.value} {comment}"),
        destination_pairs=_NEW,
        source_key_id=source.key_id,
        source_key_version_id=source.key_version_id,
        source_algorithm=algorithm,
        dry_run=dry_run,
    )
    return _sealed(comment, flag, fields, source, destination, plaintext, _NEW, {}, algorithm)


def _right_asymmetric() -> dict[EncryptionAlgorithm, Case]:
    """Return a successful request for each algorithm."""
    return {
        **{
            algorithm: _take(
                algorithm.value, "Asymmetric", algorithm, _rsa_ciphertext(algorithm, _MESSAGE)
            )
            for algorithm in _HASHES
        },
        EncryptionAlgorithm.SM2PKE: _take(
            "SM2PKE, C1C3C2",
            "Asymmetric",
            EncryptionAlgorithm.SM2PKE,
            affine.c1c3c2(_sm2_parts(_MESSAGE)),
        ),
    }


def _asymmetric() -> Iterator[Case]:
    """Yield requests whose source is an asymmetric ciphertext."""
    yield from _right_asymmetric().values()
    sm2pke = EncryptionAlgorithm.SM2PKE
    yield _take("SM2PKE, ASN1_DER", "Asymmetric", sm2pke, affine.asn1(_sm2_parts(_MESSAGE)))
    for algorithm in _HASHES:
        comment = f"{algorithm.value}, no plaintext"
        yield _take(comment, "Boundary", algorithm, _rsa_ciphertext(algorithm, b""), b"")
    one = affine.c1c3c2(_sm2_parts(b"\x07"))
    yield _take("SM2PKE, one byte", "Boundary", sm2pke, one, b"\x07")
    for suite, destination in PER_SUITE.items():
        for algorithm in (EncryptionAlgorithm.RSAES_OAEP_SHA_256, sm2pke):
            message = f"{algorithm.value} to {suite.name}".encode()
            ciphertext = (
                affine.c1c3c2(_sm2_parts(message))
                if algorithm is sm2pke
                else _rsa_ciphertext(algorithm, message)
            )
            yield _take(
                message.decode(), "Asymmetric", algorithm, ciphertext, message,
                destination=destination,
            )  # fmt: skip
    ciphertext = _rsa_ciphertext(EncryptionAlgorithm.RSAES_OAEP_SHA_256, _MESSAGE)
    yield _take(
        "RSA", "DryRun", EncryptionAlgorithm.RSAES_OAEP_SHA_256, ciphertext, dry_run=True
    )  # fmt: skip
    ciphertext = affine.c1c3c2(_sm2_parts(_MESSAGE))
    yield _take("SM2", "DryRun", sm2pke, ciphertext, dry_run=True)


def _blob_of(case: Case) -> bytes:
    """Return the source of a test."""
    return bytes.fromhex(str(case.inputs["ciphertext_blob"]))


def _blob_field(blob: bytes) -> Fields:
    """Return the field of a source."""
    return hex_fields(ciphertext_blob=blob)


def _tried(right: Case) -> tuple[Case, Case]:
    """Return a request and its dry run; each is rejected for the same reasons."""
    sought = dict(right.outputs["response"])  # type: ignore[arg-type]
    trace = {name: right.trace[name] for name in ("plaintext",)}
    dry = replace(
        right,
        inputs=right.inputs | {"dry_run": True},
        outputs={"response": sought | {"ciphertext_blob": None}},
        trace=trace,
    )
    return right, dry


def _refuse_both(
    right: Case, error: ErrorCode, flag: str, comment: str, inputs: Fields
) -> Iterator[Case]:
    """Yield a rejected request and its dry run."""
    for case, suffix in zip(_tried(right), ("", ", dry run"), strict=True):
        yield case.refused(error, flag, comment + suffix, inputs)


def _wrong_blobs() -> Iterator[Case]:
    """Yield sources that are not blobs, or a blob that is too long."""
    right = _move("to be broken", "Valid", _AES, _XAES)
    blob, start = _blob_of(right), len(_AES.header)
    for comment, data in (
        ("nothing", b""),
        ("the magic alone", blob[:3]),
        ("another magic", b"KMZ" + blob[3:]),
        ("another format version", blob[:3] + b"\x02" + blob[4:]),
        ("a suite of no one", blob[:4] + b"\x06" + blob[5:]),
        ("an ID of no bytes", blob[:5] + b"\x00" + blob[6:]),
        ("a space in the key ID", blob[:6] + b" " + blob[7:]),
        ("a DEL in the key version ID", blob[: start - 1] + b"\x7f" + blob[start:]),
        ("a bare RSA ciphertext", _rsa_ciphertext(next(iter(_HASHES)), _MESSAGE)),
        ("a bare SM2 ciphertext", affine.c1c3c2(_sm2_parts(_MESSAGE))),
        ("too short for a tag", blob[: start + 12 + 15]),
        ("6,702 bytes", blob + bytes(6702 - len(blob))),
    ):
        yield right.refused(ErrorCode.INVALID_BLOB, "InvalidBlob", comment, _blob_field(data))
    longest = _move("6,144 bytes", "Boundary", _AES, _XAES, plaintext=bytes(_MOST_PLAINTEXT))
    more = _AES.blob(bytes(_MOST_PLAINTEXT + 1), _OLD, _AES.iv("6,145 bytes"))
    yield from _refuse_both(
        longest, ErrorCode.PLAINTEXT_SIZE, "PlaintextSize", "6,145 bytes", _blob_field(more)
    )


def _wrong_contexts() -> Iterator[Case]:
    """Yield contexts that are invalid, or not the source's."""
    right = _move("to be refused", "Valid", _AES, _XAES)
    for name in ("source_pairs", "destination_pairs"):
        yield from _refuse_both(
            right, ErrorCode.INVALID_CONTEXT, "ContextSize", name, {name: pairs_field(_WIDE)}
        )
    for algorithm, case in _right_asymmetric().items():
        yield case.refused(
            ErrorCode.INVALID_CONTEXT, "AsymmetricContext", algorithm.value,
            {"source_pairs": pairs_field(_OLD)},
        )  # fmt: skip
    for comment, pairs in (
        ("none", ()),
        ("the destination's", _NEW),
        ("a pair is missing", _OLD[:1]),
        ("a pair more", (*_OLD, ("", ""))),
        ("another value", (("purpose", "backup"), ("owner", "older"))),
        ("a key in capitals", (("Purpose", "backup"), ("owner", "old"))),
        ("a character moved", (("purposeb", "ackup"), ("owner", "old"))),
    ):
        yield from _refuse_both(
            right,
            ErrorCode.DECRYPTION,
            "OtherContext",
            comment,
            {"source_pairs": pairs_field(pairs)},
        )


def _wrong_keys() -> Iterator[Case]:
    """Yield requests for keys that are missing, not enabled, or of another kind."""
    right = _move("to be refused", "Valid", _AES, _XAES)

    def sealed(key: SymmetricTestKey) -> Fields:
        """Return a blob that would open if the key could be used."""
        return _blob_field(key.blob(_MESSAGE, _OLD, key.iv("sealed")))

    gone = keyring.symmetric("gone", "v1", Suite.AES_256_GCM)
    deleted = keyring.symmetric("rotated", "v0", Suite.XAES_256_GCM)
    closed = (*keyring.UNUSABLE, keyring.RETIRED[0])
    destinations = {
        "of no one": ("gone", ErrorCode.KEY_NOT_FOUND, "UnknownKey"),
        "no ID": ("", ErrorCode.KEY_NOT_FOUND, "UnknownKey"),
        "in capitals": (_XAES.key_id.upper(), ErrorCode.KEY_NOT_FOUND, "UnknownKey"),
        "with a space": (f"{_XAES.key_id} ", ErrorCode.KEY_NOT_FOUND, "UnknownKey"),
        "RSA": (keyring.RSA.key_id, ErrorCode.KEY_USAGE, "KeyUsage"),
        "SM2": (keyring.SM2.key_id, ErrorCode.KEY_USAGE, "KeyUsage"),
        "a disabled RSA key": (keyring.RSA_DISABLED.key_id, ErrorCode.KEY_STATE, "KeyState"),
        "a primary version that is disabled": ("frozen", ErrorCode.KEY_STATE, "KeyState"),
        **{
            str(key.state.value): (key.key_id, ErrorCode.KEY_STATE, "KeyState")
            for key in keyring.UNUSABLE
        },
    }
    yield from _refuse_both(right, ErrorCode.KEY_NOT_FOUND, "UnknownKey", "source", sealed(gone))
    yield from _refuse_both(
        right, ErrorCode.KEY_VERSION_NOT_FOUND, "UnknownVersion", "source", sealed(deleted)
    )
    for key in closed:
        comment = f"source: {key.key_id} {key.key_version_id}"
        yield from _refuse_both(right, ErrorCode.KEY_STATE, "KeyState", comment, sealed(key))
    for asymmetric in (keyring.RSA, keyring.SM2):
        key_id = asymmetric.key_id.encode()
        header = header_bytes(Suite.AES_256_GCM.value, key_id, b"v1")
        blob = header + _blob_of(right)[len(_AES.header) :]
        comment = f"a blob that names the key {asymmetric.key_id}"
        yield right.refused(ErrorCode.KEY_USAGE, "KeyUsage", comment, _blob_field(blob))
    for comment, (destination, error, flag) in destinations.items():
        yield from _refuse_both(
            right, error, flag, f"destination: {comment}", {"destination_key_id": destination}
        )
    for algorithm, case in _right_asymmetric().items():
        other = keyring.RSA if algorithm is EncryptionAlgorithm.SM2PKE else keyring.SM2
        for error, flag, name, value in (
            (ErrorCode.KEY_NOT_FOUND, "UnknownKey", "source_key_id", "gone"),
            (ErrorCode.KEY_VERSION_NOT_FOUND, "UnknownVersion", "source_key_version_id", "v0"),
            (ErrorCode.KEY_USAGE, "KeyUsage", "source_key_id", other.key_id),
            (ErrorCode.KEY_USAGE, "KeyUsage", "source_key_id", _AES.key_id),
            (ErrorCode.KEY_STATE, "KeyState", "source_key_id", keyring.RSA_DISABLED.key_id),
            (ErrorCode.KEY_STATE, "KeyState", "source_key_id", keyring.UNUSABLE[0].key_id),
        ):
            comment = f"{algorithm.value}: {value}"
            yield from _refuse_both(case, error, flag, comment, {name: value})


def _wrong_ids() -> Iterator[Case]:
    """Yield source IDs, suites and algorithms that are unknown or do not fit the ciphertext."""
    rotated = keyring.ROTATED[0]
    right = _move(
        "to be refused", "SourceId", rotated, _AES, source_key_id=rotated.key_id,
        source_key_version_id=rotated.key_version_id,
    )  # fmt: skip
    for name, value in (
        ("source_key_id", _AES.key_id),
        ("source_key_id", "gone"),
        ("source_key_id", ""),
        ("source_key_id", "rotate"),
        ("source_key_id", "Rotated"),
        ("source_key_version_id", "v2"),
        ("source_key_version_id", "v0"),
        ("source_key_version_id", ""),
    ):
        comment = f"{name} {value!r}"
        yield from _refuse_both(
            right, ErrorCode.INCORRECT_KEY, "OtherSource", comment, {name: value}
        )
    right = _move("to be refused", "Valid", _AES, _XAES)
    blob = _blob_of(right)
    for suite in Suite:
        if suite is not _AES.suite:
            changed = blob[:4] + bytes([suite.value]) + blob[5:]
            yield right.refused(
                ErrorCode.INCORRECT_KEY, "OtherSuite", suite.name, _blob_field(changed)
            )  # fmt: skip
    old, new = keyring.MIGRATED
    moved = _move("to be refused", "Rotation", old, new)
    plain = new.header[:4] + bytes([old.suite.value]) + new.header[5:]
    yield moved.refused(
        ErrorCode.INCORRECT_KEY, "OtherSuite", "the newer version, the older one's suite",
        _blob_field(plain + _blob_of(moved)[len(old.header) :]),
    )  # fmt: skip
    for algorithm, case in _right_asymmetric().items():
        for name in (algorithm.value.lower(), "RSAES_PKCS1_V1_5", "RSAES_OAEP_SHA_512", ""):
            comment = f"{algorithm.value}: {name!r}"
            yield case.refused(
                ErrorCode.UNSUPPORTED_ALGORITHM,
                "UnknownAlgorithm",
                comment,
                {"source_algorithm": name},
            )


def _wrong_tags() -> Iterator[Case]:
    """Yield blobs that name a key version but do not open under it."""
    for key in PER_SUITE.values():
        right = _move("to be modified", "Valid", key, _XAES)
        blob = _blob_of(right)
        header = len(key.header)
        for comment, offset in (
            ("the first bit of the IV", header),
            ("the first bit of the ciphertext", len(blob) - 16 - len(_MESSAGE)),
            ("the first bit of the tag", len(blob) - 16),
        ):
            changed = bytearray(blob)
            changed[offset] ^= 0x80
            yield from _refuse_both(
                right, ErrorCode.DECRYPTION, "Modified", f"{key.suite.name}, {comment}",
                _blob_field(bytes(changed)),
            )  # fmt: skip
    twin = keyring.TWIN
    right = _move("to be moved", "Valid", twin, _XAES)
    rest = _blob_of(right)[len(twin.header) :]
    for other in keyring.TWINS:
        if other is not twin:
            comment = f"{other.key_id} {other.key_version_id}"
            yield from _refuse_both(
                right,
                ErrorCode.DECRYPTION,
                "MovedHeader",
                comment,
                _blob_field(other.header + rest),
            )


def _wrong_asymmetric() -> Iterator[Case]:
    """Yield asymmetric ciphertexts that do not open. The other files have more of them."""
    rights = _right_asymmetric()
    for algorithm, hash_name in _HASHES.items():
        right = rights[algorithm]
        ciphertext = _blob_of(right)
        other = next(name for name in _HASHES.values() if name != hash_name)
        for comment, data in (
            ("nothing", b""),
            ("a byte less", ciphertext[:-1]),
            ("a byte more", ciphertext + b"\x00"),
            ("the last bit", ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])),
            ("the modulus", RSA_2048.n.to_bytes(RSA_2048.length, "big")),
            (f"with {other}", _rsa_ciphertext(algorithm, _MESSAGE, other)),
        ):
            yield from _refuse_both(
                right, ErrorCode.DECRYPTION, "ModifiedAsymmetric", f"{algorithm.value}: {comment}",
                _blob_field(data),
            )  # fmt: skip
    right = rights[EncryptionAlgorithm.SM2PKE]
    parts = _sm2_parts(_MESSAGE)
    ciphertext = _blob_of(right)
    shifted = parts._replace(x1=parts.x1 + 1)
    for comment, data in _sm2_defects(parts, shifted, ciphertext):
        yield from _refuse_both(
            right,
            ErrorCode.DECRYPTION,
            "ModifiedAsymmetric",
            f"SM2PKE: {comment}",
            _blob_field(data),
        )


def _sm2_defects(
    parts: affine.Sm2Parts, shifted: affine.Sm2Parts, ciphertext: bytes
) -> Sequence[tuple[str, bytes]]:
    """Return SM2 ciphertexts, each with one defect."""
    return (
        ("nothing", b""),
        ("a first byte that is no encoding's", b"\x05" + ciphertext[1:]),
        ("without the 04", ciphertext[1:]),
        ("C1 off the curve", affine.c1c3c2(shifted)),
        ("C1 off the curve, in DER", affine.asn1(shifted)),
        ("C3", affine.c1c3c2(parts._replace(c3=bytes(32)))),
        ("C2", ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])),
        ("C2 before C3", affine.c1c2c3(parts)),
        ("a byte after the DER", affine.asn1(parts) + b"\x00"),
    )


def _wrong_rings() -> Iterator[Case]:
    """Yield invalid keyrings, each of which is valid without its one defect."""
    right = _move("to be refused", "Valid", _AES, _XAES)
    ring: list[TestKey] = [_AES, _XAES, keyring.RSA, keyring.SM2, PER_SUITE[Suite.AES_128_GCM]]
    base = replace(right, inputs={"keys": ring_field(ring)} | right.inputs)
    yield replace(base, comment="a ring of five keys")
    for comment, key in _rsa_keys():
        other = [replace(each, pkcs8=key) if each is keyring.RSA else each for each in ring]
        yield replace(base, comment=comment, inputs=base.inputs | {"keys": ring_field(other)})
    documents: list[Json] = [key.document() for key in ring]

    def with_field(index: int, **fields: str) -> Fields:
        """Return the keyring with one of its keys changed."""
        changed = ring[index].document() | fields
        return {"keys": [*documents[:index], changed, *documents[index + 1 :]]}

    rsa = keyring.RSA.pkcs8
    again = replace(_AES, material=_XAES.material).document()
    second = replace(keyring.SM2, key_id=_AES.key_id, key_version_id="v2").document()
    changes: tuple[tuple[str, Fields], ...] = (
        ("31 bytes for AES_256", with_field(0, key=_AES.material[:-1].hex())),
        ("33 bytes for AES_256", with_field(0, key=_AES.material.hex() + "00")),
        ("no material", with_field(0, key="")),
        ("a suite of another key length", with_field(0, suite_id=f"{Suite.SM4_GCM.value:02x}")),
        ("a suite of another cipher", with_field(4, suite_id=f"{Suite.SM4_GCM.value:02x}")),
        ("a key ID of no bytes", with_field(0, key_id="")),
        ("a key ID of 256 bytes", with_field(0, key_id="k" * 256)),
        ("a key ID with a space", with_field(0, key_id="aes 256")),
        ("a key version ID of no bytes", with_field(0, key_version_id="")),
        ("a private key cut short", with_field(2, private_key=rsa[:-1].hex())),
        ("a private key and a byte more", with_field(2, private_key=rsa.hex() + "00")),
        ("no private key", with_field(2, private_key="")),
        ("a private key of RSA for SM2", with_field(3, private_key=rsa.hex())),
        ("a private key of SM2 for RSA", with_field(2, private_key=keyring.SM2.pkcs8.hex())),
        *((name, with_field(2, private_key=key.hex())) for name, key in _no_rsa_keys()),
        *((name, with_field(3, private_key=key.hex())) for name, key in _no_sm2_keys()),
        ("a key version twice", {"keys": [*documents, documents[0]]}),
        ("another key under the IDs of a version", {"keys": [*documents, again]}),
        ("versions of two specs", {"keys": [*documents, second]}),
        ("one material under two suites", with_field(1, key=_AES.material.hex())),
    )
    for comment, keys in changes:
        yield base.refused(ErrorCode.INVALID_KEY, "BadKey", comment, keys)
    for comment, keys in (
        ("a spec of no one", with_field(0, key_spec="Aliyun_AES_512")),
        ("a state of no one", with_field(0, state=KeyState.ENABLED.value.lower())),
    ):
        yield base.refused(ErrorCode.UNSUPPORTED_ALGORITHM, "UnknownAlgorithm", comment, keys)


def _no_rsa_keys() -> Iterator[tuple[str, bytes]]:
    """Yield private keys of RSA that have one defect each."""
    yield "a modulus of 2,560 bits", RsaTestKey(RSA_2048.p, RSA_3072.q).pkcs8()
    yield "e = 1", RSA_2048.pkcs8(exponent=1)
    yield "e of 33 bits", RSA_2048.pkcs8(exponent=(1 << 32) + 15)
    yield "PKCS#8 of version 7", RSA_2048.pkcs8(version=7)
    yield "id-RSASSA-PSS", RSA_2048.pkcs8(identifier=_RSASSA_PSS)
    yield "id-RSASSA-PSS with NULL", RSA_2048.pkcs8(identifier=_RSASSA_PSS_NULL)
    yield "rsaEncryption without NULL", RSA_2048.pkcs8(identifier=_RSA_WITHOUT_NULL)
    yield "PKCS#1 of version 1", RSA_2048.pkcs8(two_primes=1)
    p, q, d = RSA_2048.p, RSA_2048.q, pow(PUBLIC_EXPONENT, -1, RSA_2048.phi)
    yield "p + 2", RSA_2048.pkcs8(p=p + 2)
    yield "p of 4,253 bits", RSA_2048.pkcs8(p=(1 << 4253) - 1)
    yield "the primes in the other order, and the rest as it was", RSA_2048.pkcs8(p=q, q=p)
    yield "d + phi(n)", RSA_2048.pkcs8(d=d + RSA_2048.phi)
    yield "dP + p - 1", RSA_2048.pkcs8(d_p=d % (p - 1) + p - 1)
    yield "dQ + 1", RSA_2048.pkcs8(d_q=d % (q - 1) + 1)
    yield "qInv + p", RSA_2048.pkcs8(q_inv=pow(q, -1, p) + p)


def _rsa_keys() -> Iterator[tuple[str, bytes]]:
    """Yield other private keys of RSA with the same primes."""
    # For the exponent of the key in the keyring, both moduli give the same d.
    exponent = 17
    yield "RSA with e = 17, d modulo phi(n)", RSA_2048.pkcs8(exponent=exponent)
    d = pow(exponent, -1, RSA_2048.carmichael)
    yield "RSA with e = 17, d modulo lambda(n)", RSA_2048.pkcs8(exponent=exponent, d=d)
    yield "RSA with its primes in the other order", RsaTestKey(RSA_2048.q, RSA_2048.p).pkcs8()


def _no_sm2_keys() -> Iterator[tuple[str, bytes]]:
    """Yield private keys of SM2 that have one defect each."""
    d = SM2_SCALAR
    point = affine.point_bytes(SM2_PUBLIC_POINT)
    x, y = SM2_PUBLIC_POINT
    yield "d = 0", affine.pkcs8(d, octets=bytes(32))
    last = affine.ORDER - 1
    yield "d = n - 1", affine.pkcs8(last)
    yield "d = n", affine.pkcs8(affine.ORDER, point=point)
    yield "d + n, 33 bytes", affine.pkcs8(d, octets=(d + affine.ORDER).to_bytes(33, "big"))
    yield "d in 31 bytes", affine.pkcs8(d >> 8, octets=(d >> 8).to_bytes(31, "big"))
    yield (
        "the point of d + 1",
        affine.pkcs8(
            d, point=affine.point_bytes(affine.finite(affine.multiply(d + 1, affine.BASE)))
        ),
    )
    yield "a point off the curve", affine.pkcs8(d, point=affine.point_bytes((x, y + 1)))
    yield "a compressed point", affine.pkcs8(d, point=bytes([2 + y % 2]) + point[1:33])
    yield "a hybrid point", affine.pkcs8(d, point=affine.point_bytes((x, y), 6 + y % 2))
    yield "a point of 66 bytes", affine.pkcs8(d, point=point + b"\x00")
    yield "P-256 named", affine.pkcs8(d, algorithm=affine.ALGORITHM_P256)
    yield "P-256 named within", affine.pkcs8(d, curve_within=_P256_WITHIN)
    yield "PKCS#8 of version 7", affine.pkcs8(d, versions=(7, 1))
    yield "ECPrivateKey of version 2", affine.pkcs8(d, versions=(0, 2))
