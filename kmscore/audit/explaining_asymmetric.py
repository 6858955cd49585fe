"""Search for the change with which an asymmetric ciphertext decrypts."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from kmscore._typecheck import BytesLike, check_bytes, check_instance, to_bytes
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.audit.causes import rsa, sm2
from kmscore.audit.causes.transports import lost_bytes, transports
from kmscore.audit.explaining import describe_failure
from kmscore.audit.explanation import (
    Budget,
    Exhausted,
    Explanation,
    Finding,
    Ledger,
    Verdict,
    ordered,
)
from kmscore.audit.records import OK
from kmscore.audit.tracing import trace_asymmetric_decrypt
from kmscore.keyring import Keyring
from kmscore.keys import RsaKey, Sm2Key

_MAX_SEARCHED: Final = 512  # bytes of C2 in which a damaged one is searched
_EXPECTED: Final = {"RSAES_OAEP_SHA_256": "sha256", "RSAES_OAEP_SHA_1": "sha1"}


def explain_asymmetric(
    keys: Keyring,
    key_id: str,
    key_version_id: str,
    algorithm: EncryptionAlgorithm | str,
    data: BytesLike,
    *,
    labels: Iterable[bytes] = (),
    budget: Budget = Budget(),  # noqa: B008 (immutable)
) -> Explanation:
    """Find out why an asymmetric ciphertext does not decrypt, and what would decrypt it.

    Args:
        keys: The keyring.
        key_id: The key ID that was expected.
        key_version_id: The key version ID that was expected.
        algorithm: The encryption algorithm that was expected, as a member or its name.
        data: The ciphertext, in the form in which it was found.
        labels: Labels of OAEP to try.
        budget: The limits of the search.

    Returns:
        The check that failed, and the findings. Without findings, the cause was not found; this
        does not show that the ciphertext was changed on purpose.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If a limit of `budget` is less than 1.
    """
    check_instance(keys, Keyring, "keys")
    check_bytes(data, "data")
    raw = to_bytes(data)
    tried = [to_bytes(label) for label in labels]
    ledger = Ledger(budget)
    trace = trace_asymmetric_decrypt(keys, key_id, key_version_id, algorithm, raw)
    if trace.outcome == OK:
        return Explanation(OK, "", (), ledger.tried, exhausted=False)
    ids = str.__str__(key_id), str.__str__(key_version_id)
    if str.__str__(algorithm) in _EXPECTED:
        found = _Rsa(keys, ids, str.__str__(algorithm), tried, ledger).run(raw)
    else:
        found = _Sm2(keys, ids, ledger).run(raw)
    return Explanation(
        trace.outcome,
        describe_failure(trace),
        ordered(found),
        ledger.tried,
        ledger.exhausted,
    )


def _forms(raw: bytes) -> Iterator[tuple[str, str, str, bytes]]:
    """Yield code, fact, reading and bytes of the forms of a ciphertext, the given one first."""
    yield "", "", "", raw
    for form in transports(raw):
        yield form.code, form.fact, form.reading, form.data


def _sentence(*conditions: str) -> str:
    return f"it decrypts if it is {', and '.join(filter(None, conditions))}"


def _key_words(ids: tuple[str, str], key: RsaKey | Sm2Key) -> str:
    """Return the condition for a key version other than the expected one."""
    if ids == (key.key_id, key.key_version_id):
        return ""
    return f"decrypted with version {key.key_version_id} of key {key.key_id}"


class _Rsa:
    """The search for an RSA ciphertext."""

    def __init__(
        self,
        keys: Keyring,
        ids: tuple[str, str],
        algorithm: str,
        labels: list[bytes],
        ledger: Ledger,
    ) -> None:
        self._ids, self._labels, self._ledger = ids, labels, ledger
        self._expected = _EXPECTED[algorithm]
        ring = [key for key in keys if isinstance(key, RsaKey)]
        self._ring = sorted(ring, key=lambda key: (key.key_id, key.key_version_id) != ids)

    def run(self, raw: bytes) -> list[Finding]:
        """Return the findings."""
        hints: list[Finding] = []
        with suppress(Exhausted):
            for form in self._all_forms(raw):
                for finding in self._of_form(*form):
                    if finding.verdict is Verdict.OPENS:
                        return [finding]
                    hints.append(finding)
        return [*lost_bytes(raw), *hints[:1]]

    def _all_forms(self, raw: bytes) -> Iterator[tuple[str, str, str, bytes]]:
        seen = set()
        for code, fact, reading, data in _forms(raw):
            if data not in seen:
                seen.add(data)
                yield code, fact, reading, data
            if not code:
                for other, words, changed in rsa.lengths_and_orders(data):
                    yield other, words, "a number was written in another form", changed

    def _of_form(self, code: str, fact: str, reading: str, data: bytes) -> Iterator[Finding]:
        for key in self._ring:
            if not self._ledger.take("private operation"):
                return
            encoded = rsa.encoded_message(key, data)
            if encoded is None:
                continue
            for padding in rsa.paddings(self._labels):
                if not self._ledger.take("padding"):
                    return
                if rsa.has_padding(encoded, padding):
                    yield self._opens(code, fact, reading, key, padding)
                    return
            kind = rsa.structure(encoded)
            if kind:
                yield _of_structure(kind, _sentence_of_key(self._ids, key))

    def _opens(
        self, code: str, fact: str, reading: str, key: RsaKey, padding: rsa.Padding
    ) -> Finding:
        """Return the finding for a padding that is right."""
        own = self._expected, self._expected, b""
        words = "" if tuple(padding) == own else f"decoded as {padding.description}"
        other_key = _key_words(self._ids, key)
        codes = (
            (code, reading),
            ("key.other_key" if other_key else "", "another key of the keyring encrypted it"),
            ("rsa.label" if padding.label else "", "a label was given at encryption"),
            (
                "rsa.mgf1_hash" if padding.hash_name != padding.mask_hash_name else "",
                "some libraries use SHA-1 in MGF1, whatever the hash of OAEP is",
            ),
            ("rsa.hash", "another algorithm was used at encryption"),
        )
        chosen, why = next(pair for pair in codes if pair[0])
        bits = 8 * rsa.digest_size(padding)
        return Finding(
            code=chosen if words or code or other_key else "key.state",
            verdict=Verdict.OPENS,
            fact=_sentence(fact, other_key, words)
            if fact or other_key or words
            else "it decrypts if the key version is enabled",
            reading=why,
            remedy="encrypt again with the algorithm of the service" if words else "",
            evidence=f"lHash, {bits} bits",
            change={
                "hash": padding.hash_name,
                "mgf1": padding.mask_hash_name,
                "key_id": key.key_id,
                "key_version_id": key.key_version_id,
            },
        )


def _sentence_of_key(ids: tuple[str, str], key: RsaKey) -> str:
    words = _key_words(ids, key)
    return f", {words}" if words else ""


def _of_structure(kind: str, words: str) -> Finding:
    """Return the hint to PKCS #1 v1.5."""
    if kind == "signature":
        return Finding(
            code="rsa.signature",
            verdict=Verdict.SUGGESTS,
            fact=f"the number{words} has the padding of a signature",
            reading="a signature was passed as a ciphertext",
            remedy="pass the ciphertext",
            evidence="padding, at least 80 bits",
        )
    return Finding(
        code="rsa.pkcs1_v15",
        verdict=Verdict.SUGGESTS,
        fact=f"the number{words} has the form of PKCS #1 v1.5: 00 02, 8 or more bytes, and 00",
        reading="it was encrypted with PKCS #1 v1.5",
        remedy="encrypt again with OAEP",
        evidence="padding, 16 bits",
    )


class _Sm2:
    """The search for an SM2 ciphertext."""

    def __init__(self, keys: Keyring, ids: tuple[str, str], ledger: Ledger) -> None:
        self._ids, self._ledger = ids, ledger
        ring = [key for key in keys if isinstance(key, Sm2Key)]
        self._ring = sorted(ring, key=lambda key: (key.key_id, key.key_version_id) != ids)

    def run(self, raw: bytes) -> list[Finding]:
        """Return the findings."""
        with suppress(Exhausted):
            for finding in self._proofs(raw):
                return [finding]
        return [*lost_bytes(raw), *self._hints(raw)]

    def _proofs(self, raw: bytes) -> Iterator[Finding]:
        forms, seen = [], set()
        for code, fact, reading, data in _forms(raw):
            for found in sm2.readings(data):
                if found.parts not in seen:
                    seen.add(found.parts)
                    words = " and ".join(filter(None, (fact, found.fact)))
                    forms.append((code or found.code, words, reading or found.reason, found))
        opened = []
        for code, words, reading, found in forms:
            for key in self._ring:
                if not self._ledger.take("multiplication"):
                    return
                values = sm2.multiply(key, found.parts)
                opened.append((code, words, key, found, values))
                form = sm2.digest_form(values, found.parts.c3)
                if form is not None:
                    yield self._opens(code, words, reading, key, found, form)
        for code, words, key, found, values in opened:
            yield from self._damage(code, words, key, found, values)

    def _opens(
        self, code: str, words: str, reading: str, key: Sm2Key, found: sm2.Reading, form: str
    ) -> Finding:
        """Return the finding for a digest that is right."""
        other_key = _key_words(self._ids, key)
        digest = f"compared with C3 = {form}" if form else ""
        if form:
            code, reading = "sm2.digest", "another library computes C3 in another order"
        elif not code and other_key:
            code, reading = "key.other_key", "another key of the keyring encrypted it"
        elif not code:
            code, reading = "key.state", "the key version is not enabled"
        repaired = not form and code.startswith(("sm2.", "transport."))
        return Finding(
            code=code,
            verdict=Verdict.OPENS,
            fact=_sentence(words, other_key, digest),
            reading=reading,
            remedy="use the ciphertext of the finding, which is in C1C3C2" if repaired else "",
            evidence="C3, 256 bits",
            change={"ciphertext": found.repaired.hex()} if repaired else {},
        )

    def _damage(
        self, code: str, words: str, key: Sm2Key, found: sm2.Reading, values: sm2.Opened
    ) -> Iterator[Finding]:
        """Look for one damaged byte of C2."""
        for offset in range(min(len(values.message), _MAX_SEARCHED)):
            if not self._ledger.take("damage"):
                return
            mask = sm2.damaged_byte(values, found.parts.c3, offset)
            if mask is not None:
                old = found.parts.c2[offset]
                change = f"{old ^ mask:02x} and not {old:02x}"
                yield Finding(
                    code=code or "damage.c2",
                    verdict=Verdict.OPENS,
                    fact=_sentence(
                        words,
                        _key_words(self._ids, key),
                        f"given byte {offset} of C2 as {change}",
                    ),
                    reading="the byte was damaged in storage",
                    remedy="restore this byte",
                    evidence="C3, 240 bits after the search",
                    change={"offset_in_c2": offset, "xor": f"{mask:02x}"},
                )

    def _hints(self, raw: bytes) -> Iterator[Finding]:
        if any(sm2.readings(raw)):
            return
        if len(raw) > 2 * 32 and not sm2.has_point(raw):
            yield Finding(
                code="sm2.off_curve",
                verdict=Verdict.SUGGESTS,
                fact="no encoding gives a C1 that is on the curve",
                reading="bytes of C1 are damaged or lost, or it is of another curve",
                remedy="compare the ciphertext with another copy",
                evidence="structure",
            )
