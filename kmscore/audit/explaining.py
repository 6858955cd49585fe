"""Search for the change with which a ciphertext blob decrypts.

The search tries hypotheses: cheap ones on all forms of the bytes first, then other keys, then
damage. Every trial is a decryption with a real tag, so a finding with the verdict `opens` is a
proof. The search never shows a plaintext or a repaired tag.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from cryptography.exceptions import InvalidTag

from kmscore import alibaba
from kmscore._typecheck import BytesLike, check_bytes, check_instance, check_mapping, to_bytes
from kmscore.aead import Sealer, sealer
from kmscore.algorithms import TAG_LENGTH, Suite
from kmscore.alibaba import ContextBinding, Payload, Profile, ServiceBlob, SortOrder
from kmscore.audit import findings
from kmscore.audit.causes import damage
from kmscore.audit.causes.contexts import Pairs, guesses
from kmscore.audit.causes.materials import materials
from kmscore.audit.causes.transports import Transport, lost_bytes, transports
from kmscore.audit.explanation import (
    Budget,
    Exhausted,
    Explanation,
    Finding,
    Ledger,
    ordered,
)
from kmscore.audit.notes import attempt
from kmscore.audit.records import OK, Check, Trace
from kmscore.audit.tracing import provider_of, trace_decrypt
from kmscore.blob import CiphertextBlob
from kmscore.context import ContextLike, EncryptionContext
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import SymmetricKey


def explain(
    keys: Keyring,
    data: BytesLike,
    context: ContextLike = None,
    *,
    other_contexts: Iterable[Mapping[str, str]] = (),
    candidates: Iterable[Mapping[str, str]] = (),
    profile: Profile = Profile.V1,
    budget: Budget = Budget(),  # noqa: B008 (immutable)
) -> Explanation:
    """Find out why a ciphertext blob does not decrypt, and what would decrypt it.

    A caller of this function decrypts under contexts that were not given. Call it only for the
    owner of the keys.

    Args:
        keys: The keyring.
        data: The ciphertext, in the form in which it was found.
        context: The encryption context that was expected.
        other_contexts: Contexts of the same program, for example that of the destination of a
            re-encryption.
        candidates: Contexts to try, for example those of all rows of a table.
        profile: The layout in which the blob was read (default v1).
        budget: The limits of the search.

    Returns:
        The check that failed, and the findings. Without findings, the cause was not found; this
        does not show that the ciphertext was changed on purpose.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If a limit of `budget` is less than 1.
        InvalidKeyError: If the profile is one of the service's layout, and two keys have the same
            key version ID.
    """
    check_instance(keys, Keyring, "keys")
    check_bytes(data, "data")
    check_mapping(context, "context")
    check_instance(profile, Profile, "profile")
    raw = to_bytes(data)
    ledger = Ledger(budget)
    given = {} if context is None else dict(context)
    others = [_pairs(each, "other_contexts") for each in other_contexts]
    more = [_pairs(each, "candidates") for each in candidates]
    trace = trace_decrypt(keys, raw, context, profile=profile, allow_ambiguous=True)
    if trace.outcome == OK:
        return Explanation(OK, "", (), ledger.tried, exhausted=False)
    search = _Search(keys, raw, given, others, more, profile, ledger)
    return Explanation(
        trace.outcome,
        describe_failure(trace),
        ordered(search.run()),
        ledger.tried,
        ledger.exhausted,
    )


def describe_failure(trace: Trace) -> str:
    """Return the check that failed, with its section of the specification."""
    step = trace.failed
    if step is None:
        return ""
    failed: Check = next(check for check in step.checks if not check.passed)
    return f"not true: {failed.statement} (SPEC {step.section})"


def _pairs(context: Mapping[str, str], name: str) -> Pairs:
    check_mapping(context, name)
    return dict(context)


class _Search:
    """The search for one blob."""

    def __init__(
        self,
        keys: Keyring,
        raw: bytes,
        given: Pairs,
        others: list[Pairs],
        candidates: list[Pairs],
        profile: Profile,
        ledger: Ledger,
    ) -> None:
        self._keys, self._raw, self._profile = keys, raw, profile
        self._given, self._others, self._candidates = given, others, candidates
        self._ledger = ledger
        self._sealers: dict[tuple[Suite, bytes], Sealer] = {}
        self._ring = [key for key in keys if isinstance(key, SymmetricKey)]

    def run(self) -> list[Finding]:
        """Return the findings."""
        forms = [Transport("", "", "", self._raw), *transports(self._raw)]
        parsed = [(form, blob) for form in forms if (blob := _parse(form.data)) is not None]
        proofs = itertools.chain(
            self._contexts(parsed),
            self._service(forms),
            self._other_keys(parsed),
            self._damage(parsed),
            self._truncation(parsed),
            self._iv(parsed),
        )
        with suppress(Exhausted):
            for finding in proofs:
                return [finding]
        return [*lost_bytes(self._raw), *self._hints(parsed)]

    # Each stage yields findings that prove themselves; the first one ends the search.

    def _contexts(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Try the contexts with the key version that the header names."""
        for form, blob in parsed:
            for key in self._named(blob):
                canonical = _canonical(self._given)
                if canonical is not None and self._opens("transport", blob, key, canonical):
                    is_v1 = self._profile.is_v1
                    yield findings.as_it_is(form, key) if is_v1 else findings.of_v1(form)
                for guess in guesses(self._given, self._others, self._candidates):
                    if self._opens("context", blob, key, guess.bound):
                        yield findings.of_context(form, guess)
                    if guess.context is None and self._opens(
                        "context", blob, key, guess.bound, header=b""
                    ):
                        yield findings.of_context(form, guess, without_header=True)

    def _service(self, forms: list[Transport]) -> Iterator[Finding]:
        """Try every rule of the service, also if v1 was named, and the reverse."""
        _, provider = attempt(lambda: provider_of(self._keys, Profile.ALIBABA))
        if provider is None:
            return
        contexts: list[tuple[str, ContextLike]] = [("", self._given), (_ABSENT, None)]
        contexts += [
            (f"{guess.fact}, and ", guess.context)
            for guess in guesses(self._given, self._others, self._candidates)
            if guess.context is not None
        ]
        forms_of_service = (
            (form, profile)
            for form, profile in itertools.product(forms, _profiles())
            if _is_of(form.data, profile)
        )
        for (form, profile), (words, context) in itertools.product(forms_of_service, contexts):
            if self._decrypts(provider, form.data, context, profile):
                yield findings.of_service(form, profile, words)

    def _decrypts(
        self, keys: KeyProvider, data: bytes, context: ContextLike, profile: Profile
    ) -> bool:
        """Try one decryption in a layout; the plaintext is dropped at once."""
        if not self._ledger.take("layout"):
            return False
        code, _ = attempt(
            lambda: alibaba.decrypt(keys, data, context, profile=profile, allow_ambiguous=True)
        )
        return code == OK

    def _other_keys(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Try the other key versions, those of the same key first."""
        bounds = [("", self._given), ("the context is empty, and ", {})]
        bounds += [("the context is another one, and ", other) for other in self._others]
        for form, blob in parsed:
            ring = [key for key in self._ring if key.key_id == blob.key_id]
            ring += [key for key in self._ring if key.key_id != blob.key_id]
            for key in ring:
                for suite in _suites(key, blob):
                    for how, material in materials(key.export_material(), suite):
                        for header, place in (
                            (blob.header, findings.HEADER),
                            (key.header, findings.KEY_HEADER),
                        ):
                            for words, pairs in bounds:
                                canonical = _canonical(pairs)
                                if canonical is not None and self._opens_with(
                                    "key", blob, suite, material, header + canonical
                                ):
                                    yield findings.of_key(form, blob, key, suite, how, place, words)

    def _damage(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Look for one damaged place by algebra."""
        for form, blob in parsed[:1]:
            for key in self._named(blob):
                gcm = damage.set_up(blob.suite, key.export_material(), blob.iv)
                for bound in self._bounds():
                    if not self._ledger.take("damage"):
                        return
                    associated = blob.header + bound
                    errors = damage.locate(gcm, associated, blob.ciphertext, blob.tag)
                    # More than one explanation is none: each alone would have been a proof.
                    if len(errors) == 1:
                        yield findings.of_error(form, blob, bound, errors[0])

    def _truncation(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Look for a tag whose last bytes are missing."""
        for form, blob in parsed[:1]:
            body = blob.ciphertext + blob.tag
            for key in self._named(blob):
                gcm = damage.set_up(blob.suite, key.export_material(), blob.iv)
                for bound in self._bounds():
                    for missing in range(1, damage.RUN + 1):
                        if not self._ledger.take("truncation"):
                            return
                        end = len(body) - TAG_LENGTH + missing
                        tag = damage.compute_tag(gcm, blob.header + bound, body[:end])
                        if tag[: TAG_LENGTH - missing] == body[end:]:
                            yield findings.of_truncation(form, missing)

    def _iv(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Try every other value of every byte of the IV."""
        for form, blob in parsed[:1]:
            canonical = _canonical(self._given)
            for key in self._named(blob):
                for offset in range(len(blob.iv) if canonical is not None else 0):
                    for value in range(1, 256):
                        iv = bytearray(blob.iv)
                        iv[offset] ^= value
                        other = CiphertextBlob(
                            *(blob.suite, blob.key_id, blob.key_version_id),
                            *(bytes(iv), blob.ciphertext, blob.tag),
                        )
                        if self._opens("iv", other, key, canonical or b""):
                            yield findings.of_iv(form, blob, offset, iv[offset])

    def _hints(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Yield findings that nothing proves."""
        for form, blob in parsed:
            named = list(self._named(blob))
            if form.code and form.code not in _WEAK:
                yield findings.of_form(form)
            if form is parsed[0][0]:
                for key in named:
                    yield from findings.of_structure(blob, key)
                if not named:
                    yield findings.of_missing_key(blob)
        if not parsed:
            yield from findings.foreign(self._raw)

    def _named(self, blob: CiphertextBlob) -> Iterator[SymmetricKey]:
        for key in self._ring:
            ids = key.key_id, key.key_version_id
            if ids == (blob.key_id, blob.key_version_id) and key.suite is blob.suite:
                yield key

    def _bounds(self) -> Iterator[bytes]:
        """Yield the canonical bytes of the contexts that are searched for damage."""
        seen = set()
        for pairs in (self._given, *self._others, {}):
            canonical = _canonical(pairs)
            if canonical is not None and canonical not in seen:
                seen.add(canonical)
                yield canonical

    def _opens(
        self,
        family: str,
        blob: CiphertextBlob,
        key: SymmetricKey,
        bound: bytes,
        *,
        header: bytes | None = None,
    ) -> bool:
        associated = (blob.header if header is None else header) + bound
        return self._opens_with(family, blob, key.suite, key.export_material(), associated)

    def _sealer(self, suite: Suite, material: bytes) -> Sealer:
        """Return a cipher; to make one takes longer than to use it."""
        made = self._sealers.get((suite, material))
        if made is None:
            made = self._sealers[suite, material] = sealer(suite, material)
        return made

    def _opens_with(
        self, family: str, blob: CiphertextBlob, suite: Suite, material: bytes, associated: bytes
    ) -> bool:
        """Try one decryption; the plaintext is dropped at once."""
        if not self._ledger.take(family):
            return False
        try:
            self._sealer(suite, material).open(blob.iv, blob.ciphertext + blob.tag, associated)
        except InvalidTag:
            return False
        return True


_WEAK: Final = {"transport.tail", "transport.lf", "transport.crlf"}
"""Forms that parse whenever the given bytes do."""

_ABSENT: Final = "the context is absent, and "


def _is_of(data: bytes, profile: Profile) -> bool:
    """Return whether bytes parse as a blob of the service."""
    code, _ = attempt(lambda: ServiceBlob.parse(data, profile=profile))
    return code == OK


def _parse(data: bytes) -> CiphertextBlob | None:
    _, blob = attempt(lambda: CiphertextBlob.parse(data))
    return blob


def _canonical(pairs: Pairs) -> bytes | None:
    _, canonical = attempt(lambda: EncryptionContext(pairs).canonical)
    return canonical


def _suites(key: SymmetricKey, blob: CiphertextBlob) -> list[Suite]:
    """Return the suites under which the material of a key could have made a blob."""
    suites = {key.suite, blob.suite}
    return [suite for suite in Suite if suite in suites and suite.iv_length == len(blob.iv)]


def _profiles() -> Iterator[Profile]:
    """Yield the profiles of the service's layout, with the encrypted text as it is."""
    for prefix in findings.PREFIXES:
        for binding in ContextBinding:
            for order in SortOrder:
                yield Profile(
                    prefix=prefix, context_binding=binding, sort_order=order, payload=Payload.RAW
                )
