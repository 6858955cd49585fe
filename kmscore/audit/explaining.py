"""Search for the change with which a ciphertext blob decrypts.

The search tries hypotheses: cheap ones on all forms of the bytes first, then other keys, then
damage. A finding with the verdict `opens` is proved by the tag. The search never shows a plaintext
or a repaired tag.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from cryptography.exceptions import InvalidTag

from kmscore import alibaba
from kmscore._typecheck import BytesLike, check_bytes, check_instance, check_mapping, to_bytes
from kmscore.aead import Sealer, sealer
from kmscore.algorithms import KEY_SPECS, TAG_LENGTH, KeySpec, KeyState, Suite
from kmscore.alibaba import (
    ContextBinding,
    Payload,
    Profile,
    ServiceBlob,
    SortOrder,
    VersionIndex,
)
from kmscore.audit import findings
from kmscore.audit.causes import damage
from kmscore.audit.causes.contexts import ContextGuess, Pairs, guesses
from kmscore.audit.causes.materials import materials
from kmscore.audit.causes.transports import Transport, lost_bytes, transports
from kmscore.audit.explanation import (
    Budget,
    Exhausted,
    Explanation,
    FamilyExhausted,
    Finding,
    Ledger,
    ordered,
)
from kmscore.audit.notes import attempt
from kmscore.audit.records import OK, Check, Trace
from kmscore.audit.tracing import trace_decrypt
from kmscore.blob import CiphertextBlob
from kmscore.context import ContextLike, EncryptionContext
from kmscore.keyring import Keyring
from kmscore.keys import SymmetricKey
from kmscore.operations import DecryptResult


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
        ValueError: If `budget.trials` is less than 1.
        InvalidKeyError: If the profile is one of the service's layout, and two keys have the same
            key version ID.
    """
    check_instance(keys, Keyring, "keys")
    check_bytes(data, "data")
    check_mapping(context, "context")
    check_instance(profile, Profile, "profile")
    raw = to_bytes(data)
    ledger = Ledger(budget)
    given = _texts({} if context is None else context)
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
    return f"failed check: {failed.statement} (SPEC {step.section})"


def _pairs(context: Mapping[str, str], name: str) -> Pairs:
    check_mapping(context, name)
    return _texts(context)


def _texts(context: Mapping[str, str]) -> Pairs:
    """Return the pairs of two texts; only they can be part of a context."""
    return {
        str.__str__(key): str.__str__(value)
        for key, value in dict(context).items()
        if issubclass(type(key), str) and issubclass(type(value), str)
    }


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
        self._symmetric = [key for key in keys if isinstance(key, SymmetricKey)]

    def run(self) -> list[Finding]:
        """Return the findings."""
        forms = [Transport("", "", "", self._raw), *transports(self._raw)]
        parsed = [(form, blob) for form in forms if (blob := _parse(form.data)) is not None]
        stages = (
            self._transports(parsed),
            self._contexts(parsed),
            self._service(forms),
            self._headers(forms),
            self._other_keys(parsed),
            self._damage(parsed),
            self._truncation(parsed),
            self._iv(parsed),
        )
        with suppress(Exhausted):
            for stage in stages:
                with suppress(FamilyExhausted):
                    for finding in stage:
                        return [finding]
        return [*lost_bytes(self._raw)] or [*self._hints(parsed)]

    # Each stage yields findings with a proof; the first one ends the search.

    def _transports(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Try all forms of the bytes with the given context."""
        canonical = _canonical(self._given)
        for form, blob in parsed if canonical is not None else ():
            for key in self._named(blob):
                if self._opens("transport", blob, key, canonical or b""):
                    yield self._as_it_is(form, key)

    def _contexts(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Try other contexts with the key version that the header names."""
        for form, blob in parsed:
            for key in self._named(blob):
                for guess in self._guesses():
                    if self._opens("context", blob, key, guess.bound):
                        yield findings.with_state(findings.of_context(form, guess), key)
                    if guess.context is None and self._opens(
                        "context", blob, key, guess.bound, header=b""
                    ):
                        finding = findings.of_context(form, guess, without_header=True)
                        yield findings.with_state(finding, key)

    def _guesses(self) -> Iterator[ContextGuess]:
        return guesses(self._given, self._others, self._candidates, self._ledger.note)

    def _as_it_is(self, form: Transport, key: SymmetricKey) -> Finding:
        """Return the finding for bytes that decrypt with the given context."""
        if form.code:
            return findings.with_state(findings.of_transport(form), key)
        if key.state is not KeyState.ENABLED:
            return findings.of_state(key, findings.TAG)
        return findings.of_payload() if self._profile.is_v1 else findings.of_v1(form)

    def _service(self, forms: list[Transport]) -> Iterator[Finding]:
        """Try every rule of the service, also if v1 was named."""
        blobs = [
            (form, profile)
            for form, profile in itertools.product(forms, _profiles())
            if _is_of(form.data, profile)
        ]
        _, provider = attempt(lambda: VersionIndex(self._of_the_service()))
        if provider is None:
            return

        def opened(data: bytes, context: ContextLike, profile: Profile) -> DecryptResult | None:
            decrypt = partial(alibaba.decrypt, provider, data, context, profile=profile)
            return attempt(partial(decrypt, allow_ambiguous=True))[1]

        absent = ContextGuess("context.absent", "the context is absent", _LEFT_OUT, b"")
        for form, profile in blobs:
            is_given = _is_same(profile, self._profile)
            others = (guess for guess in self._guesses() if guess.context is not None)
            for guess in itertools.chain((None, absent), others):
                context = self._given if guess is None else guess.context
                self._ledger.take("layout")
                result = opened(form.data, context, profile)
                if result is None:
                    continue
                ids = result.key_id, result.key_version_id
                (key,) = (key for key in self._symmetric if (key.key_id, key.key_version_id) == ids)
                plain = _plain_suite(key.spec)
                is_raw = is_given and opened(form.data, context, self._profile) is None
                found = findings.of_service(form, profile, guess, is_given=is_given, is_raw=is_raw)
                if found is not None:
                    yield findings.with_state(findings.with_suite(found, key, plain), key)
                elif key.suite is plain:
                    yield findings.of_state(key, findings.TAG)
                else:
                    yield findings.with_state(findings.of_suite(key, plain), key)

    def _of_the_service(self) -> Keyring:
        """Return the symmetric keys of the keyring, all enabled and bound to plain GCM."""
        return Keyring(
            SymmetricKey(
                *(key.key_id, key.key_version_id, key.spec, key.export_material()),
                suite=_plain_suite(key.spec),
            )
            for key in self._symmetric
        )

    def _headers(self, forms: list[Transport]) -> Iterator[Finding]:
        """Try the header of each key version in place of the given one, of the same length."""
        for form, key in itertools.product(forms[:2], self._symmetric):
            blob = _parse(key.header + form.data[len(key.header) :])
            if blob is None or form.data.startswith(key.header):
                continue
            for words, pairs, canonical in self._bounds():
                if self._opens("header", blob, key, canonical):
                    found = findings.with_conditions(
                        findings.of_header(form, key, words), form, pairs
                    )
                    yield findings.with_state(found, key)

    def _other_keys(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Try the other key versions, those of the same key first."""
        for form, blob in parsed:
            keys = [key for key in self._symmetric if key.key_id == blob.key_id]
            keys += [key for key in self._symmetric if key.key_id != blob.key_id]
            for key, suite, how, material in _materials(keys, blob):
                for header, place in (
                    (blob.header, findings.HEADER),
                    (key.header, findings.KEY_HEADER),
                ):
                    for words, pairs, canonical in self._bounds():
                        associated = header + canonical
                        if self._opens_with("key", blob, suite, material, associated):
                            found = findings.of_key(form, blob, key, suite, how, place, words)
                            found = findings.with_conditions(found, form, pairs)
                            yield findings.with_state(found, key)

    def _damage(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Look for one damaged place by algebra."""
        for form, blob in parsed[:1]:
            for key in self._named(blob):
                gcm = damage.set_up(blob.suite, key.export_material(), blob.iv)
                for words, pairs, bound in self._bounds():
                    self._ledger.take("damage")
                    associated = blob.header + bound
                    errors = damage.locate(gcm, associated, blob.ciphertext, blob.tag)
                    # Two candidates contradict each other, so neither is reported. A header
                    # whose IDs are those of the key is right.
                    if len(errors) == 1 and not _is_in_header(errors[0], blob):
                        found = findings.of_error(form, blob, bound, words, errors[0])
                        found = findings.with_conditions(found, form, pairs)
                        yield findings.with_state(found, key)

    def _truncation(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Look for a tag whose last bytes are missing."""
        for form, blob in parsed[:1]:
            body = blob.ciphertext + blob.tag
            for key in self._named(blob):
                gcm = damage.set_up(blob.suite, key.export_material(), blob.iv)
                for words, pairs, bound in self._bounds():
                    for missing in range(1, damage.RUN + 1):
                        self._ledger.take("truncation")
                        end = len(body) - TAG_LENGTH + missing
                        tag = damage.compute_tag(gcm, blob.header + bound, body[:end])
                        if tag[: TAG_LENGTH - missing] == body[end:]:
                            found = findings.of_truncation(form, words, missing)
                            yield findings.with_conditions(found, form, pairs)

    def _iv(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Try every other value of every byte of the IV."""
        canonical = _canonical(self._given)
        if canonical is None:
            return
        for form, blob in parsed[:1]:
            places = itertools.product(range(len(blob.iv)), range(1, 256))
            for key, (offset, mask) in itertools.product(list(self._named(blob)), places):
                iv = bytearray(blob.iv)
                iv[offset] ^= mask
                other = CiphertextBlob(
                    *(blob.suite, blob.key_id, blob.key_version_id),
                    *(bytes(iv), blob.ciphertext, blob.tag),
                )
                if self._opens("iv", other, key, canonical):
                    found = findings.of_iv(form, blob, offset, iv[offset])
                    found = findings.with_conditions(found, form, None)
                    yield findings.with_state(found, key)

    def _hints(self, parsed: list[tuple[Transport, CiphertextBlob]]) -> Iterator[Finding]:
        """Yield the findings without a proof."""
        if not parsed:
            yield from findings.foreign(self._raw, {key.key_version_id for key in self._keys})
            return
        first, blob = parsed[0]
        if first.code:  # otherwise the given bytes parse, and any form of them does so by chance
            yield findings.of_form(first)
        named = list(self._named(blob))
        for key in named:
            yield from findings.of_structure(blob, key)
        if not named:
            yield findings.of_missing_key(blob)

    def _named(self, blob: CiphertextBlob) -> Iterator[SymmetricKey]:
        for key in self._symmetric:
            ids = key.key_id, key.key_version_id
            if ids == (blob.key_id, blob.key_version_id) and key.suite is blob.suite:
                yield key

    def _bounds(self) -> Iterator[tuple[str, Pairs | None, bytes]]:
        """Yield the most probable contexts: a condition, the pairs, and the canonical bytes.

        The pairs are `None` for the given context.
        """
        seen = set()
        other = "the context is another one of the program, and "
        contexts = [("", self._given), *((other, pairs) for pairs in self._others)]
        for words, pairs in (*contexts, ("the context is empty, and ", {})):
            canonical = _canonical(pairs)
            if canonical is not None and canonical not in seen:
                seen.add(canonical)
                yield words, pairs if words else None, canonical

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
        self._ledger.take(family)
        try:
            self._sealer(suite, material).open(blob.iv, blob.ciphertext + blob.tag, associated)
        except InvalidTag:
            return False
        return True


def _is_in_header(error: damage.Error, blob: CiphertextBlob) -> bool:
    return error.place == "associated data" and error.offset < len(blob.header)


_LEFT_OUT: Final = "the context was left out at encryption"


def _is_same(profile: Profile, given: Profile) -> bool:
    """Return whether two profiles differ only in the payload."""
    return profile == replace(given, payload=Payload.RAW) and not given.is_v1


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


def _materials(
    keys: Iterable[SymmetricKey], blob: CiphertextBlob
) -> Iterator[tuple[SymmetricKey, Suite, str, bytes]]:
    """Yield key, suite, form of the material and material, with which a blob could decrypt."""
    for key in keys:
        for suite in _suites(key, blob):
            for how, material in materials(key.export_material(), suite):
                yield key, suite, how, material


def _suites(key: SymmetricKey, blob: CiphertextBlob) -> list[Suite]:
    """Return the suites under which the material of a key could have made a blob."""
    suites = {key.suite, blob.suite}
    return [suite for suite in Suite if suite in suites and suite.iv_length == len(blob.iv)]


def _plain_suite(spec: KeySpec) -> Suite:
    """Return the suite of a key spec that is GCM itself, as the layout of the service requires."""
    return next(suite for suite in KEY_SPECS[spec].suites if suite is not Suite.XAES_256_GCM)


def _profiles() -> Iterator[Profile]:
    """Yield the profiles of the service's layout, with the encrypted text as it is."""
    for prefix in findings.PREFIXES:
        for binding in ContextBinding:
            for order in SortOrder:
                yield Profile(
                    prefix=prefix, context_binding=binding, sort_order=order, payload=Payload.RAW
                )
