"""The findings of the search for a blob: facts, probable reasons and advice."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from json import dumps
from typing import Final

from kmscore.algorithms import TAG_LENGTH, KeyState, Suite
from kmscore.alibaba import Profile
from kmscore.alibaba.profile import INSTANCE_PREFIX
from kmscore.audit.blobs import is_uuid
from kmscore.audit.causes import damage
from kmscore.audit.causes.contexts import ContextGuess, Pairs
from kmscore.audit.causes.transports import Transport
from kmscore.audit.explanation import Finding, Verdict
from kmscore.audit.notes import attempt
from kmscore.audit.wording import count, span
from kmscore.blob import CiphertextBlob
from kmscore.context import EncryptionContext
from kmscore.keys import Key, SymmetricKey

TAG: Final = "tag, 128 bits"
_LOCATED: Final = "tag, at least 50 bits after the search"
PREFIXES: Final = (b"", INSTANCE_PREFIX)
"""The prefixes of blobs of the service."""

_AND: Final = ", and "
_IF: Final = "it decrypts if "

HEADER: Final = "the header as it is"
KEY_HEADER: Final = "the header of that key version"


def sentence(form: Transport, condition: str) -> str:
    """Return the fact of a finding: the conditions under which a ciphertext decrypts."""
    conditions = [f"it is {form.fact}"] if form.fact else []
    if condition:
        conditions.append(condition)
    return f"{_IF}{' and '.join(conditions)}"


def with_conditions(finding: Finding, form: Transport, pairs: Pairs | None) -> Finding:
    """Return a finding, with the form of the bytes and the context that it requires.

    `pairs` are `None` for the given context.
    """
    change: dict[str, object] = {"transport": form.code} if form.code else {}
    if pairs is not None:
        change["context"] = dict(pairs)
    return replace(finding, change={**change, **finding.change})


def with_state(finding: Finding, key: Key) -> Finding:
    """Return a finding, with the state of its key version if that is a condition too."""
    if key.state is KeyState.ENABLED or finding.verdict is not Verdict.OPENS:
        return finding
    return _with_key(finding, of_state(key, finding.evidence), {"state": KeyState.ENABLED.value})


def with_suite(finding: Finding, key: SymmetricKey, suite: Suite) -> Finding:
    """Return a finding, with the suite of its key version if that is a condition too."""
    if key.suite is suite:
        return finding
    return _with_key(finding, of_suite(key, suite), {"suite": suite.name})


def _with_key(finding: Finding, other: Finding, change: dict[str, object]) -> Finding:
    """Return a finding with the condition of another one, which concerns the key version."""
    fact = f"{finding.fact}, and {other.fact.removeprefix(_IF)}"
    remedy = "; ".join(filter(None, (other.remedy, finding.remedy)))
    return replace(finding, fact=fact, remedy=remedy, change={**finding.change, **change})


def of_state(key: Key, evidence: str) -> Finding:
    """Return the finding for a key version that is not enabled."""
    return Finding(
        code="key.state",
        verdict=Verdict.OPENS,
        fact=f"{_IF}the key version is {KeyState.ENABLED.value}, not {key.state.value}",
        reading="the key version was disabled",
        remedy="enable the key version",
        evidence=evidence,
    )


def of_suite(key: SymmetricKey, suite: Suite) -> Finding:
    """Return the finding for a key version that was bound to another suite than `suite`."""
    return Finding(
        code="key.other_suite",
        verdict=Verdict.OPENS,
        fact=f"{_IF}the key version is bound to {suite.name}, not {key.suite.name}",
        reading="the key version was bound to another suite at import",
        remedy=f"bind the key version to {suite.name}",
        evidence=TAG,
        change={"suite": suite.name},
    )


def of_transport(form: Transport) -> Finding:
    """Return the finding for bytes that decrypt in another form."""
    return Finding(
        code=form.code,
        verdict=Verdict.OPENS,
        fact=sentence(form, ""),
        reading=form.reading,
        remedy=form.remedy,
        evidence=TAG,
        change={"transport": form.code},
    )


def of_payload() -> Finding:
    """Return the finding for a v1 blob whose plaintext is not Base64, as the profile requires."""
    return Finding(
        code="payload.not_base64",
        verdict=Verdict.OPENS,
        fact="it decrypts if it is read in the profile v1; its plaintext is not strict Base64",
        reading="it was encrypted as bytes, not as a Base64 text",
        remedy="name the profile v1",
        evidence=TAG,
    )


def of_header(form: Transport, key: SymmetricKey, words: str) -> Finding:
    """Return the finding for a damaged header."""
    name = f"version {key.key_version_id} of key {key.key_id}"
    return Finding(
        code="key.header",
        verdict=Verdict.OPENS,
        fact=sentence(form, f"{words}its header is that of {name}"),
        reading="the IDs in the header were rewritten, or the header was damaged",
        remedy="restore the header",
        evidence=TAG,
        change={"header": key.header.hex()},
    )


def of_context(form: Transport, guess: ContextGuess, *, without_header: bool = False) -> Finding:
    """Return the finding for another context, or another rule."""
    fact = f"{guess.fact}{', and the header is not bound' if without_header else ''}"
    change: dict[str, object] = {"transport": form.code} if form.code else {}
    if guess.context is not None:
        change["context"] = dict(guess.context)
    return Finding(
        code=f"{guess.code}.no_header" if without_header else guess.code,
        verdict=Verdict.OPENS,
        fact=sentence(form, fact),
        reading=guess.reading,
        remedy="decrypt with that context, and re-encrypt with the right one"
        if guess.context is not None
        else "encrypt again with this library; it binds the canonical context",
        evidence=TAG,
        change=change,
    )


def of_service(
    form: Transport, profile: Profile, guess: ContextGuess | None, *, is_given: bool, is_raw: bool
) -> Finding | None:
    """Return the finding for a blob of the service, or `None` if nothing differs but the key.

    Args:
        form: The form of the bytes.
        profile: The profile under which the blob decrypts, with the encrypted text as it is.
        guess: The context, if it is not the given one.
        is_given: Whether the profile was named, apart from its payload.
        is_raw: Whether the payload that was named is wrong.
    """
    change: dict[str, object] = {
        "context_binding": profile.context_binding.value,
        "sort_order": profile.sort_order.value,
        "prefix": profile.prefix.hex(),
        "payload": "raw",
    }
    code = reading = ""
    conditions, remedies = [], []
    if guess is not None:
        change["context"] = None if guess.context is None else dict(guess.context)
        conditions.append(guess.fact)
        remedies.append("decrypt with that context")
        code, reading = guess.code, guess.reading
    if not is_given:
        options = f"{profile.context_binding}, {profile.sort_order}"
        prefix = ", and the prefix of an instance" if profile.prefix else ""
        conditions.append(f"it is read in the layout of the service ({options}{prefix})")
        remedies = ["name the profile of the service, and re-encrypt to v1"]
        code = "layout.service"
        reading = "it was encrypted by the service, or by a program that follows it"
    elif is_raw:
        conditions.append("the payload is raw, not Base64")
        remedies.append("name the payload raw")
        if guess is None:
            code, reading = "payload.not_base64", "its plaintext is not a Base64 text"
    if not conditions:
        return of_transport(form) if form.code else None
    return Finding(
        code=form.code or code,
        verdict=Verdict.OPENS,
        fact=sentence(form, _AND.join(conditions)),
        reading=reading,
        remedy=_AND.join(remedies),
        evidence=TAG,
        change=change,
    )


def of_v1(form: Transport) -> Finding:
    """Return the finding for a v1 blob that was read in the layout of the service."""
    return Finding(
        code=form.code or "layout.v1",
        verdict=Verdict.OPENS,
        fact=sentence(form, "it is read as v1"),
        reading="the layout of the service was named for a v1 blob",
        remedy="name the profile v1",
        evidence=TAG,
    )


def of_form(form: Transport) -> Finding:
    """Return the hint to bytes that parse in another form."""
    return Finding(
        code=form.code,
        verdict=Verdict.SUGGESTS,
        fact=f"{form.fact}, it is a v1 blob, which does not decrypt either",
        reading="the form is not the cause; the context, the key or the bytes differ",
        remedy="look for the context in the logs of the program that encrypted it",
        evidence="magic and structure, 40 bits",
    )


def of_missing_key(blob: CiphertextBlob) -> Finding:
    """Return the hint to a key version that is not in the keyring."""
    return Finding(
        code="key.missing",
        verdict=Verdict.SUGGESTS,
        fact=f"the keyring has no version {blob.key_version_id} of key {blob.key_id} for"
        f" {blob.suite.name}",
        reading="the key version was removed, or belongs to another keyring",
        remedy="restore the key version from a backup of the keyring",
        evidence="header, not authenticated",
    )


def of_key(
    form: Transport,
    blob: CiphertextBlob,
    key: SymmetricKey,
    suite: Suite,
    how: str,
    place: str,
    words: str,
) -> Finding:
    """Return the finding for another key version, another suite, or material in another form."""
    name = f"version {key.key_version_id} of key {key.key_id}"
    same = (key.key_id, key.key_version_id) == (blob.key_id, blob.key_version_id)
    rewritten = place != HEADER
    if how:
        code, reading = "key.encoding", "the material was imported in another form"
        remedy = "import the material again, in the form of the finding"
    elif same and not rewritten:
        bound = of_suite(key, suite)
        code, reading, remedy = bound.code, bound.reading, bound.remedy
    elif rewritten:
        code, reading = "key.header", "the IDs in the header were rewritten"
        remedy = "restore the header"
    else:
        code = "key.other_version" if key.key_id == blob.key_id else "key.other_key"
        reading = "the material of two key versions was exchanged, or one has another ID now"
        remedy = "give the material its former IDs"
    material = f"the material of {name}{f', {how},' if how else ''} under {suite.name}"
    return Finding(
        code=code,
        verdict=Verdict.OPENS,
        fact=sentence(form, f"{words}the key is {material}, with {place}"),
        reading=reading,
        remedy=remedy,
        evidence=TAG,
        change={
            "key_id": key.key_id,
            "key_version_id": key.key_version_id,
            "suite": suite.name,
        },
    )


def of_error(
    form: Transport, blob: CiphertextBlob, bound: bytes, words: str, error: damage.Error
) -> Finding:
    """Return the finding for one damaged place."""
    header, length = len(blob.header), len(error.mask)
    if error.place == "tag":
        offset = header + len(blob.iv) + len(blob.ciphertext) + error.offset
        return Finding(
            code="damage.tag",
            verdict=Verdict.OPENS,
            fact=sentence(form, f"{words}the tag has other bytes at {span(offset, length)}"),
            reading="the tag was damaged in storage",
            remedy="restore these bytes from another copy; they are not shown here",
            evidence=_LOCATED,
            change={"offset": offset, "length": length},
        )
    if error.place == "ciphertext":
        offset = header + len(blob.iv) + error.offset
        old = blob.ciphertext[error.offset : error.offset + length]
        return _of_bytes(form, words, offset, old, error.mask)
    return _of_typo(form, bound, words, error._replace(offset=error.offset - header))


def _of_bytes(form: Transport, words: str, offset: int, old: bytes, mask: bytes) -> Finding:
    """Return the finding for damaged bytes of the ciphertext."""
    new = bytes(a ^ b for a, b in zip(old, mask, strict=True))
    return Finding(
        code="damage.ciphertext",
        verdict=Verdict.OPENS,
        fact=sentence(
            form,
            f"{words}{span(offset, len(old))} {'has' if len(old) == 1 else 'have'} {new.hex(' ')}"
            f" and not {old.hex(' ')}",
        ),
        reading="the bytes were damaged in storage, or overwritten",
        remedy="restore these bytes",
        evidence=_LOCATED,
        change={"offset": offset, "xor": mask.hex()},
    )


def _of_typo(form: Transport, bound: bytes, words: str, error: damage.Error) -> Finding:
    """Return the finding for a context with another text of the same length."""
    end = error.offset + len(error.mask)
    old = bound[error.offset : end]
    new = bytes(a ^ b for a, b in zip(old, error.mask, strict=True))
    right = bound[: error.offset] + new + bound[end:]
    was, now = _read_pairs(bound), _read_pairs(right)
    change: dict[str, object] = {"canonical": right.hex()}
    code, remedy = "context.typo", "decrypt with that context"
    if was is None or now is None:
        fact = f"the canonical context has {new.hex(' ')} at offset {error.offset}"
        code, remedy = "rule.other", "encrypt again: these are not the bytes of a context"
    else:
        change["context"] = now
        parts = [
            f"the value of {dumps(key)} is {dumps(value)} and not {dumps(was[key])}"
            if key in was
            else f"there is a key {dumps(key)} with the value {dumps(value)}"
            for key, value in now.items()
            if was.get(key) != value
        ]
        parts += [f"there is no key {dumps(key)}" for key in was if key not in now]
        fact = "in the context, " * (len(parts) > 1) + " and ".join(parts)
    return Finding(
        code=code,
        verdict=Verdict.OPENS,
        fact=sentence(form, words + fact),
        reading="a typo, or another text of the same length",
        remedy=remedy,
        evidence=_LOCATED,
        change=change,
    )


def _read_pairs(canonical: bytes) -> dict[str, str] | None:
    """Return the pairs of canonical bytes, or `None` if they are not those of a context."""
    texts, offset = [], 2
    while offset < len(canonical):
        length = int.from_bytes(canonical[offset : offset + 2], "big")
        texts.append(canonical[offset + 2 : offset + 2 + length])
        offset += 2 + length
    try:
        words = [text.decode("utf-8") for text in texts]
        pairs = dict(zip(words[::2], words[1::2], strict=True))
    except ValueError:
        return None
    return pairs if attempt(lambda: EncryptionContext(pairs).canonical)[1] == canonical else None


def of_truncation(form: Transport, words: str, missing: int) -> Finding:
    """Return the finding for a blob whose last bytes are missing."""
    bits = 8 * (TAG_LENGTH - missing)
    words = " and ".join(
        filter(None, (form.fact and f"it is {form.fact}", words.removesuffix(_AND)))
    )
    condition = f", if {words}" if words else ""
    return Finding(
        code="damage.truncated",
        verdict=Verdict.AUTHENTICATES_PARTLY,
        fact=f"its last {count(missing, 'byte')} {'is' if missing == 1 else 'are'} missing: the"
        f" first {TAG_LENGTH - missing} bytes of the tag are right"
        f"{condition}",
        reading="the ciphertext was cut off at its end",
        remedy="read the ciphertext again from its source",
        evidence=f"tag, {bits} bits",
        change={"missing": missing},
    )


def of_iv(form: Transport, blob: CiphertextBlob, offset: int, value: int) -> Finding:
    """Return the finding for one damaged byte of the IV."""
    place = len(blob.header) + offset
    condition = (
        f"the byte at offset {place}, in the IV, is {value:02x} and not {blob.iv[offset]:02x}"
    )
    return Finding(
        code="damage.iv",
        verdict=Verdict.OPENS,
        fact=sentence(form, condition),
        reading="the byte was damaged in storage",
        remedy="restore this byte",
        evidence="tag, 115 bits after the search",
        change={"offset": place, "xor": f"{value ^ blob.iv[offset]:02x}"},
    )


_LEAST_TEXT: Final = 10  # bytes; shorter random bytes are printable by chance


def of_structure(blob: CiphertextBlob, key: SymmetricKey) -> Iterator[Finding]:
    """Yield the hint whether the key stream gives a printable text; never the text."""
    length = len(blob.ciphertext)
    if length < _LEAST_TEXT:
        return
    if damage.gives_text(blob.suite, key.export_material(), blob.iv, blob.ciphertext):
        yield Finding(
            code="suggest.associated_data",
            verdict=Verdict.SUGGESTS,
            fact=f"under the key stream, {length} of {length} bytes are printable",
            reading="key and IV are right; the context, the header or the tag differs",
            remedy="look for the context in the logs of the program that encrypted it",
            evidence="structure",
        )
    else:
        yield Finding(
            code="suggest.not_text",
            verdict=Verdict.SUGGESTS,
            fact="under the key stream, the bytes are not a printable text",
            reading="the plaintext was not a text, or key, IV or ciphertext are wrong",
            remedy="compare key material and ciphertext with other copies",
            evidence="structure",
        )


def foreign(raw: bytes, versions: Collection[str]) -> Iterator[Finding]:
    """Yield hints to other formats; `versions` are the key version IDs of the keyring."""
    for prefix in PREFIXES:
        named = raw.removeprefix(prefix)[:36].decode("latin-1")
        if raw.startswith(prefix) and is_uuid(named):
            is_known = named in versions
            yield Finding(
                code="suggest.service" if is_known else "layout.foreign",
                verdict=Verdict.SUGGESTS,
                fact=f"it begins as a blob of the service does, with the key version ID {named}",
                reading="the context or its bytes differ"
                if is_known
                else "it was encrypted by the service under a key version of another keyring",
                remedy="look for the context in the logs of the program that encrypted it"
                if is_known
                else "decrypt it there, or add that key version to the keyring",
                evidence="structure",
            )
    if raw[:2] in {b"\x01\x01", b"\x01\x02"}:
        yield Finding(
            code="layout.foreign",
            verdict=Verdict.SUGGESTS,
            fact="it begins as the ciphertexts of another cloud KMS do",
            reading="it was encrypted by another system",
            remedy="decrypt it there",
            evidence="structure",
        )
