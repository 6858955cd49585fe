"""How a ciphertext blob is laid out and what its context turns into: v1, or one of the service's.

The service's own layout and context rule are known from the vendor's published client code, whose
versions disagree in details. What they disagree in, or what other gateways of theirs do otherwise,
is an option here. Nothing is ever sniffed: a profile is named, or it is v1.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, final

from kmscore._typecheck import check_instance
from kmscore._values import Record

PREFIX_LENGTH: Final = 3


class Layout(StrEnum):
    """The arrangement of the fields of a blob."""

    V1 = "v1"
    """The format of this library: `kmscore.CiphertextBlob`."""

    SERVICE = "service"
    """The service's own: `ServiceBlob`."""


class Payload(StrEnum):
    """What is sealed in place of a plaintext.

    The service seals the text that a request has as `Plaintext`, whatever it is. By its documents
    that is Base64, and so `BASE64` gives the bytes of the plaintext. Clients also encrypt
    passwords and other texts as they are: `RAW` gives those in UTF-8, from the same blobs.
    """

    BASE64 = "base64"
    """The Base64 text of the plaintext (RFC 4648 section 4)."""

    RAW = "raw"
    """The plaintext as it is: bytes, or the UTF-8 form of a text."""


class SortOrder(StrEnum):
    """What the pairs of a context are sorted by; it differs for keys beyond U+FFFF only."""

    CODE_POINT = "code_point"
    """By code point, which is by UTF-8 bytes too, as Python does."""

    UTF_16 = "utf_16"
    """By UTF-16 code unit, as Java does."""


class ContextBinding(StrEnum):
    """The associated data that a context turns into."""

    DIGEST = "digest"
    """The SHA-256 digest of the sorted and joined pairs, 32 bytes."""

    HEXADECIMAL_DIGEST = "hexadecimal_digest"
    """The same digest as 64 hexadecimal digits, as the handlers for KMS instances have it."""

    JSON = "json"
    """The JSON text that the client sent, in UTF-8, as the handlers of an older client have it.

    The order of the pairs is part of it: the same pairs in another order are another context. A
    `JsonContext` has a text of its own; that of any other mapping is compact, in its order.
    """


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Profile(Record):
    """A layout with its options. The defaults are the vendor's published rule, `Profile.ALIBABA`.

    Constructing one raises `TypeError` for a field of the wrong type, and `ValueError` for a prefix
    of another length than 0 or 3 bytes, or for options of the service's layout given to v1, which
    has only the payload.
    """

    layout: Layout = Layout.SERVICE
    """v1, or the service's."""

    payload: Payload | None = None
    """What is sealed; by default `RAW` in v1, and `BASE64` in the service's layout."""

    sort_order: SortOrder = SortOrder.CODE_POINT
    """What the pairs of a context are sorted by, unless its JSON text is bound."""

    empty_is_absent: bool = False
    """Whether `{}` counts as no context at all, instead of as one whose text is empty."""

    context_binding: ContextBinding = ContextBinding.DIGEST
    """The associated data that a context turns into."""

    prefix: bytes = b""
    """What stands before a blob, nothing or 3 bytes: `24 00 02` for those of a KMS instance."""

    V1: ClassVar["Profile"]
    """The format of this library."""

    V1_TEXT: ClassVar["Profile"]
    """The same, holding texts as the service's blobs do. A blob does not tell the two apart."""

    ALIBABA: ClassVar["Profile"]
    """The vendor's published rule: all options as their defaults are."""

    def __post_init__(self) -> None:
        """Check every field."""
        if self.payload is None:
            is_v1 = self.layout is Layout.V1
            object.__setattr__(self, "payload", Payload.RAW if is_v1 else Payload.BASE64)
        kinds = {
            "layout": Layout,
            "payload": Payload,
            "sort_order": SortOrder,
            "empty_is_absent": bool,
            "context_binding": ContextBinding,
            "prefix": bytes,
        }
        for name, kind in kinds.items():
            check_instance(getattr(self, name), kind, name)
        if len(self.prefix) not in {0, PREFIX_LENGTH}:
            raise ValueError(f"prefix: {len(self.prefix)} bytes; give 0 or {PREFIX_LENGTH}")
        options = (
            self.sort_order,
            self.empty_is_absent,
            self.context_binding,
            self.prefix,
        )
        if self.layout is Layout.V1 and options != _DEFAULTS:
            raise ValueError("the layout v1 has no option but the payload")

    @property
    def is_v1(self) -> bool:
        """Whether the layout is the format of this library."""
        return self.layout is Layout.V1


_DEFAULTS: Final = (SortOrder.CODE_POINT, False, ContextBinding.DIGEST, b"")

Profile.V1 = Profile(layout=Layout.V1)
Profile.V1_TEXT = Profile(layout=Layout.V1, payload=Payload.BASE64)
Profile.ALIBABA = Profile()
