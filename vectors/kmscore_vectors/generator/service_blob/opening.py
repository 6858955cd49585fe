"""The vectors of decryption: whole blobs of the service's layout, valid and changed."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

from kmscore_vectors.generator.model import Case, Group, Note, blob_of, hex_fields
from kmscore_vectors.generator.service_blob.context_rule import BEYOND, context_field
from kmscore_vectors.generator.service_blob.encoder import (
    INSTANCE_PREFIX,
    PUBLISHED,
    Options,
    ServiceKey,
)
from kmscore_vectors.generator.service_blob.failures import (
    changed,
    other_data,
    other_rules,
    reject,
    reseal,
    wrong_blobs,
)
from kmscore_vectors.generator.service_blob.messages import (
    INSTANCE,
    MESSAGE,
    MOST_PLAINTEXT,
    MOST_SEALED,
    PAIR,
    PAIRS,
    PLAIN_SUITES,
    PUBLISHED_IV,
    PUBLISHED_KEY,
    RAW,
    VERSION,
    Maker,
    draw,
)
from kmscore_vectors.generator.service_blob.payloads import payloads
from kmscore_vectors.generator.service_blob.unusual_keys import UNUSUAL_KEYS
from kmscore_vectors.generator.suite_properties import key_length, spec_of
from kmscore_vectors.tables import BugType, ErrorCode, Severity, Suite

NOTES: Final = {
    "Opens": Note(
        "A blob that opens, with the published rule or one of its options.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 13.5",
    ),
    "PayloadBoundary": Note(
        "The shortest or the longest plaintext, or Base64 with each padding.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 13.5",
    ),
    "AmbiguousAllowed": Note(
        "A context that the rule confuses with others, and that the caller has allowed.",
        "Older ciphertexts with such a context cannot be decrypted, although their owner knows it.",
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.POLICY,
        section="SPEC section 13.5",
    ),
}
_ALL: Final = Options(
    payload="raw",
    sort_order="utf_16",
    empty_is_absent=True,
    context_binding="hexadecimal_digest",
    prefix=INSTANCE_PREFIX,
)


def groups() -> Iterator[Group]:
    """Yield the groups of decryption."""
    published = Maker(PUBLISHED_KEY)
    special = chain(
        _published(published), _options(published), _ambiguous(published), payloads(published),
        other_rules(published), other_data(published), wrong_blobs(published),
    )  # fmt: skip
    yield Group("service_decrypt", tuple(special), published.shared)
    for suite in PLAIN_SUITES:
        material = draw(suite.name, key_length(spec_of(suite)))
        maker = Maker(ServiceKey(suite, material, VERSION))
        yield Group("service_decrypt", tuple(_of_suite(maker)), maker.shared)
    right = published.opened("a key of AES_256_GCM", "Opens", MESSAGE, None)
    right = replace(right, inputs=published.shared | right.inputs)
    xaes = hex_fields(suite_id=bytes([Suite.XAES_256_GCM.value]))
    wrong = right.rejected(ErrorCode.KEY_USAGE, "KeyUsage", "the same key, of XAES_256_GCM", xaes)
    yield Group("service_decrypt", (right, wrong))


def _published(maker: Maker) -> Iterator[Case]:
    """Yield a blob of the published rule, and payloads at the boundaries."""
    yield maker.opened(
        "the published rule with a known IV", "AmbiguousAllowed", MESSAGE, PAIRS,
        allow_ambiguous=True, iv=PUBLISHED_IV,
    )  # fmt: skip
    for length in (1, 2, 3, 15, 16, 17):
        plaintext = bytes(range(length))
        yield maker.opened(f"{length} bytes", "PayloadBoundary", plaintext, None)
        yield maker.opened(f"{length} bytes as they are", "PayloadBoundary", plaintext, None, RAW)
    yield maker.opened("no byte as it is", "PayloadBoundary", b"", None, RAW)
    plaintext = draw("plaintext", MOST_SEALED)
    longest = maker.opened("8,192 bytes as they are", "PayloadBoundary", plaintext, None, RAW)
    yield longest
    too_long = maker.opened("8,193 bytes", "Opens", plaintext + b"\x00", None, RAW)
    yield reject(
        longest, "PlaintextSize", "8,193 bytes as they are", hex_fields(blob=blob_of(too_long)),
        ErrorCode.PLAINTEXT_SIZE,
    )  # fmt: skip
    for text in (b"Z" * 8192, b"====", b"\xff\xfe"):
        comment = f"what is sealed is {text[:4].hex()} and so on, and any bytes will do"
        yield maker.opened(comment, "PayloadBoundary", text, PAIR, RAW)
    for password in ("p@ss w\u00f6rd", "dGV4dA", "\U0001f511"):
        comment = f"a text of {len(password)} characters, in UTF-8"
        yield maker.opened(comment, "PayloadBoundary", password.encode(), PAIR, RAW)


def _options(maker: Maker) -> Iterator[Case]:
    """Yield each option of a profile, alone and with others."""
    for comment, pairs, options in (
        ("{} counts as absent", (), Options(empty_is_absent=True)),
        ("none at all, {} counts as absent", None, Options(empty_is_absent=True)),
        ("a pair, {} counts as absent", PAIR, Options(empty_is_absent=True)),
        ("a hexadecimal digest", PAIR, Options(context_binding="hexadecimal_digest")),
        ("a hexadecimal digest of no pairs", (), Options(context_binding="hexadecimal_digest")),
        ("none at all, hexadecimal", None, Options(context_binding="hexadecimal_digest")),
        ("a prefix of FF", PAIR, Options(prefix=b"\xff" * 3)),
        ("all options", (), _ALL),
        ("one pair beyond the basic plane", (("\U0001f511", "\u79df"),), PUBLISHED),
    ):
        yield maker.opened(comment, "Opens", MESSAGE, pairs, options)
    as_json = Options(context_binding="json")
    for comment, context in {
        "JSON, one pair": PAIR,
        "JSON, two pairs, which are not ambiguous": PAIRS,
        "JSON, an equals sign": (("a", "b=c"),),
        "JSON, no pairs": (),
        "JSON, none at all": None,
        "JSON, what is escaped": (('"', "\\\n\x00"),),
        "JSON, integers as keys": UNUSUAL_KEYS["integers behind letters"],
        "JSON, a prototype": UNUSUAL_KEYS["a prototype"],
    }.items():
        yield maker.opened(comment, "Opens", MESSAGE, context, as_json)
    for order in ("code_point", "utf_16"):
        yield maker.opened(
            f"three pairs by {order}", "AmbiguousAllowed", MESSAGE, BEYOND,
            Options(sort_order=order), allow_ambiguous=True,
        )  # fmt: skip
    # Where {} counts as absent, both contexts open the same blob.
    absent = Options(empty_is_absent=True)
    blob = maker.key.blob(MESSAGE, None, maker.iv("absent"), absent)
    for comment, pairs in (("sealed with none, opened with {}", ()), ("the same with none", None)):
        case = maker.opened(comment, "Opens", MESSAGE, pairs, absent, iv=maker.iv("absent"))
        yield replace(case, inputs=case.inputs | hex_fields(blob=blob))


def _ambiguous(maker: Maker) -> Iterator[Case]:
    """Yield contexts that the rule confuses with others, allowed and not."""
    for comment, pairs in {
        "two pairs": PAIRS,
        "two pairs as one value": (("a", "1&b=2"),),
        "two pairs as one key": (("a=1&b", "2"),),
        "an equals sign in a value": (("a", "b=c"),),
        "an equals sign in a key": (("a=b", "c"),),
        "two empty texts": (("", "="),),
    }.items():
        right = maker.opened(comment, "AmbiguousAllowed", MESSAGE, pairs, allow_ambiguous=True)
        yield right
        yield reject(
            right, "Ambiguous", comment, {"allow_ambiguous": False}, ErrorCode.INVALID_CONTEXT
        )  # fmt: skip
    sealed = maker.opened("a=1&b=2", "AmbiguousAllowed", MESSAGE, PAIRS, allow_ambiguous=True)
    for comment, pairs in (
        ("sealed under two pairs, opened with one", (("a", "1&b=2"),)),
        ("sealed under two pairs, opened with another one", (("a=1&b", "2"),)),
    ):
        inputs = sealed.inputs | {"pairs": context_field(pairs)}
        yield replace(sealed, comment=comment, inputs=inputs)
    yield reject(
        sealed, "OtherContext", "two pairs, opened with the values exchanged",
        {"pairs": context_field((("b", "1"), ("a", "2")))},
    )  # fmt: skip
    yield maker.opened("one plain pair, allowed", "Opens", MESSAGE, PAIR, allow_ambiguous=True)


def _of_suite(maker: Maker) -> Iterator[Case]:
    """Yield the tests of one suite."""
    right = maker.opened("32 bytes, one pair", "Opens", MESSAGE, PAIR)
    yield right
    yield maker.opened("32 bytes, no context at all", "Opens", MESSAGE, None)
    yield maker.opened("32 bytes, a context without pairs", "Opens", MESSAGE, ())
    yield maker.opened("as it is", "Opens", MESSAGE, PAIR, RAW)
    yield maker.opened("behind 24 00 02", "Opens", MESSAGE, PAIR, INSTANCE)
    for length in (0, MOST_PLAINTEXT):
        plaintext = draw("plaintext", length)
        yield maker.opened(f"{length} bytes", "PayloadBoundary", plaintext, PAIR)
    yield from changed(right)
    for comment, pairs in (
        ("another value", (("tenant", "acmf"),)),
        ("no context at all", None),
        ("a context without pairs", ()),
    ):
        yield reject(right, "OtherContext", comment, {"pairs": context_field(pairs)})
    other = replace(maker.key, material=draw("another key", len(maker.key.material)))
    yield reseal(right, "OtherDerivation", "another key", other)
    twin = {Suite.AES_128_GCM: Suite.SM4_GCM, Suite.SM4_GCM: Suite.AES_128_GCM}
    if maker.key.suite in twin:
        other = replace(maker.key, suite=twin[maker.key.suite])
        yield reseal(right, "OtherDerivation", other.suite.name, other)
