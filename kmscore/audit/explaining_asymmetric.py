"""Search for the change with which an asymmetric ciphertext decrypts."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from kmscore._typecheck import BytesLike, check_bytes, check_instance, to_bytes
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.audit.causes import rsa, sm2
from kmscore.audit.causes.transports import Transport, lost_bytes, transports
from kmscore.audit.explaining import describe_failure
from kmscore.audit.explanation import (
    Budget,
    Exhausted,
    Explanation,
    FamilyExhausted,
    Finding,
    Ledger,
    Verdict,
    ordered,
)
from kmscore.audit.findings import of_state, with_state
from kmscore.audit.records import OK
from kmscore.audit.tracing import trace_asymmetric_decrypt
from kmscore.audit.wording import span
from kmscore.keyring import Keyring
from kmscore.keys import RsaKey, Sm2Key

_POINT_LENGTH: Final = 64
_MAX_SEARCHED: Final = 512  # most bytes of a C2 in which a damaged one is searched
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
        ValueError: If `budget.trials` is less than 1.
    """
    check_instance(keys, Keyring, "keys")
    check_bytes(data, "data")
    raw = to_bytes(data)
    tried = [_label(label) for label in labels]
    ledger = Ledger(budget)
    trace = trace_asymmetric_decrypt(keys, key_id, key_version_id, algorithm, raw)
    if trace.outcome == OK:
        return Explanation(OK, "", (), ledger.tried, exhausted=False)
    ids = str.__str__(key_id), str.__str__(key_version_id)
    found: list[Finding] = []
    name = str.__str__(algorithm)
    if name in _EXPECTED:
        found = _Rsa(keys, ids, _EXPECTED[name], tried, ledger).run(raw)
    elif name == EncryptionAlgorithm.SM2PKE.value:
        found = _Sm2(keys, ids, ledger).run(raw)
    if trace.outcome not in {"decryption", "key_state"}:
        # The key does not fit: hints to damage would mislead.
        found = [finding for finding in found if finding.verdict is Verdict.OPENS]
    return Explanation(
        trace.outcome,
        describe_failure(trace),
        ordered(found),
        ledger.tried,
        ledger.exhausted,
    )


def _label(label: BytesLike) -> bytes:
    check_bytes(label, "labels")
    return to_bytes(label)


_AS_GIVEN: Final = Transport("", "", "", b"", "")
_NAME_KEY: Final = "name that key version"


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
        expected: str,
        labels: list[bytes],
        ledger: Ledger,
    ) -> None:
        self._ids, self._labels, self._ledger, self._expected = ids, labels, ledger, expected
        own = [key for key in keys if isinstance(key, RsaKey)]
        self._keys = sorted(own, key=lambda key: (key.key_id, key.key_version_id) != ids)

    def run(self, raw: bytes) -> list[Finding]:
        """Return the findings."""
        hints: list[Finding] = []
        with suppress(Exhausted, FamilyExhausted):
            for form in self._forms(raw):
                for finding in self._of_form(form):
                    if finding.verdict is Verdict.OPENS:
                        return [finding]
                    hints.append(finding)
        return [*lost_bytes(raw)] or hints[:1]

    def _forms(self, raw: bytes) -> Iterator[Transport]:
        """Yield the forms of a ciphertext, the given one first."""
        yield _AS_GIVEN._replace(data=raw)
        for code, fact, data in rsa.lengths_and_orders(raw):
            reading = "a number was written in another form"
            yield Transport(code, fact, reading, data, "write the number in the right form")
        yield from transports(raw)

    def _of_form(self, form: Transport) -> Iterator[Finding]:
        for key in self._keys:
            if not rsa.is_number_of(key, form.data):
                continue
            self._ledger.take("private operation")
            encoded = rsa.encoded_message(key, form.data)
            padding = self._right_padding(encoded)
            kind = rsa.structure(encoded)
            if padding is not None:
                yield self._opens(form, key, padding)
            elif kind:
                yield _of_structure(kind, form, _key_words(self._ids, key))

    def _right_padding(self, encoded: bytes) -> rsa.Padding | None:
        for padding in rsa.paddings(self._labels):
            self._ledger.take("padding")
            if rsa.has_padding(encoded, padding):
                return padding
        return None

    def _opens(self, form: Transport, key: RsaKey, padding: rsa.Padding) -> Finding:
        """Return the finding for a padding that is right."""
        evidence = f"lHash, {8 * rsa.digest_size(padding)} bits"
        is_expected = padding == rsa.Padding(self._expected, self._expected, b"")
        words = "" if is_expected else f"decoded as {padding.description}"
        other_key = _key_words(self._ids, key)
        if not form.fact and not other_key and not words:
            return of_state(key, evidence)
        supported = [name for name, own in _EXPECTED.items() if padding == (own, own, b"")]
        named = f"name the algorithm {supported[0]}" if supported else ""
        reasons = (
            (form.code, form.reading, form.remedy),
            ("key.other_key" if other_key else "", "another key encrypted it", _NAME_KEY),
            ("rsa.label" if padding.label else "", "a label was given at encryption", _AGAIN),
            (
                "rsa.mgf1_hash" if padding.hash_name != padding.mask_hash_name else "",
                "some libraries use SHA-1 in MGF1, whatever the hash of OAEP is",
                _AGAIN,
            ),
            ("rsa.hash", "another algorithm was used at encryption", named or _AGAIN),
        )
        code, reading, remedy = next(each for each in reasons if each[0])
        change: dict[str, object] = {
            "hash": padding.hash_name,
            "mgf1": padding.mask_hash_name,
            "label": padding.label.hex(),
            "key_id": key.key_id,
            "key_version_id": key.key_version_id,
        }
        if form.code:
            change["ciphertext"] = form.data.hex()
        finding = Finding(
            code=code,
            verdict=Verdict.OPENS,
            fact=_sentence(form.fact, other_key, words),
            reading=reading,
            remedy=remedy,
            evidence=evidence,
            change=change | ({"algorithm": supported[0]} if supported else {}),
        )
        return with_state(finding, key)


_AGAIN: Final = "encrypt again with an algorithm of the service, and without a label"


def _of_structure(kind: str, form: Transport, key_words: str) -> Finding:
    """Return the hint to PKCS #1 v1.5."""
    words = ", and ".join(filter(None, (form.fact, key_words)))
    condition = f", if it is {words}," if words else ""
    if kind == "signature":
        return Finding(
            code="rsa.signature",
            verdict=Verdict.SUGGESTS,
            fact=f"the number{condition} has the padding of a signature",
            reading="a signature was passed as a ciphertext",
            remedy="pass the ciphertext",
            evidence="padding, at least 80 bits",
        )
    return Finding(
        code="rsa.pkcs1_v15",
        verdict=Verdict.SUGGESTS,
        fact=f"the number{condition} has the form of PKCS #1 v1.5: 00 02, 8 or more bytes, and 00",
        reading="it was encrypted with PKCS #1 v1.5",
        remedy="encrypt again with OAEP",
        evidence="padding, 16 bits",
    )


class _Candidate(NamedTuple):
    """One reading of one form of an SM2 ciphertext."""

    form: Transport
    reading: sm2.Reading

    @property
    def words(self) -> str:
        """The condition in words."""
        return " and ".join(filter(None, (self.form.fact, self.reading.fact)))

    @property
    def code(self) -> str:
        """The code of the cause; empty for the usual reading of the given bytes."""
        return self.form.code or self.reading.code


class _Sm2:
    """The search for an SM2 ciphertext."""

    def __init__(self, keys: Keyring, ids: tuple[str, str], ledger: Ledger) -> None:
        self._ids, self._ledger = ids, ledger
        own = [key for key in keys if isinstance(key, Sm2Key)]
        self._keys = sorted(own, key=lambda key: (key.key_id, key.key_version_id) != ids)

    def run(self, raw: bytes) -> list[Finding]:
        """Return the findings."""
        with suppress(Exhausted, FamilyExhausted):
            for finding in self._proofs(raw):
                return [finding]
        return [*lost_bytes(raw)] or [*self._hints(raw)]

    def _proofs(self, raw: bytes) -> Iterator[Finding]:
        candidates, seen = [], set()
        for form in (_AS_GIVEN._replace(data=raw), *transports(raw)):
            for reading in sm2.readings(form.data):
                if reading.parts not in seen:
                    seen.add(reading.parts)
                    candidates.append(_Candidate(form, reading))
        opened = []
        for candidate in candidates:
            for key in self._keys:
                self._ledger.take("multiplication")
                values = sm2.multiply(key, candidate.reading.parts)
                opened.append((candidate, key, values))
                parts = candidate.reading.parts
                digest = sm2.digest_form(values, parts.c2, parts.c3)
                if digest is not None:
                    yield with_state(self._opens(candidate, key, digest), key)
        for candidate, key, values in opened[: len(self._keys)]:
            for finding in self._damage(candidate, key, values):
                yield with_state(finding, key)

    def _opens(self, candidate: _Candidate, key: Sm2Key, digest: str) -> Finding:
        """Return the finding for a digest that is right."""
        other_key = _key_words(self._ids, key)
        code, reading = candidate.code, candidate.form.reading or candidate.reading.reason
        remedy, change = candidate.form.remedy, dict[str, object]()
        if digest:
            code, reading = "sm2.digest", "another library computes C3 in another order"
            remedy = "encrypt again with C3 = SM3(x2 ‖ M ‖ y2)"
        elif code:
            change["ciphertext"] = candidate.reading.repaired.hex()
            remedy = remedy or "use the ciphertext in C1C3C2, which the JSON form shows"
        elif other_key:
            code, reading, remedy = "key.other_key", "another key encrypted it", _NAME_KEY
        else:
            return of_state(key, "C3, 256 bits")
        if other_key:
            change |= {"key_id": key.key_id, "key_version_id": key.key_version_id}
        return Finding(
            code=code,
            verdict=Verdict.OPENS,
            fact=_sentence(
                candidate.words, other_key, f"compared with C3 = {digest}" if digest else ""
            ),
            reading=reading,
            remedy=remedy,
            evidence="C3, 256 bits",
            change=change,
        )

    def _damage(self, candidate: _Candidate, key: Sm2Key, values: sm2.Opened) -> Iterator[Finding]:
        """Look for a damaged C3, and for one damaged byte of a short C2."""
        parts = candidate.reading.parts
        words = candidate.words, _key_words(self._ids, key)
        place = sm2.damaged_digest(values, parts.c3)
        if place is not None:
            yield Finding(
                code="damage.c3",
                verdict=Verdict.OPENS,
                fact=_sentence(*words, f"given other bytes at {span(*place)} of C3"),
                reading="the digest was damaged in storage; C1 and C2 are right",
                remedy="restore these bytes from another copy; they are not shown here",
                evidence="C3, at least 180 bits",
                change={"offset_in_c3": place[0], "length": place[1]},
            )
        for offset in range(len(parts.c2) if len(parts.c2) <= _MAX_SEARCHED else 0):
            self._ledger.take("damage")
            mask = sm2.damaged_byte(values, parts.c3, offset)
            if mask is not None:
                old = parts.c2[offset]
                change = f"{old ^ mask:02x} and not {old:02x}"
                yield Finding(
                    code=candidate.code or "damage.c2",
                    verdict=Verdict.OPENS,
                    fact=_sentence(*words, f"given byte {offset} of C2 as {change}"),
                    reading="the byte was damaged in storage",
                    remedy="restore this byte",
                    evidence="C3, 240 bits after the search",
                    change={"offset_in_c2": offset, "xor": f"{mask:02x}"},
                )

    def _hints(self, raw: bytes) -> Iterator[Finding]:
        if not any(sm2.readings(raw)) and len(raw) > _POINT_LENGTH and not sm2.has_point(raw):
            yield Finding(
                code="sm2.off_curve",
                verdict=Verdict.SUGGESTS,
                fact="no encoding gives a C1 that is on the curve",
                reading="bytes of C1 or the first byte are damaged, or it is of another curve",
                remedy="compare the ciphertext with another copy",
                evidence="structure",
            )
