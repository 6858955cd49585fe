"""The layout of a ciphertext blob and the form of its associated data: v1, or the service's.

The service's own layout and context rule are known from the vendor's published client code, and
versions of that code differ in details. Each detail that differs, there or in other gateways of the
vendor, is an option here. The profile is never detected from a blob: the caller names it, or it is
v1.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, final

from kmscore._typecheck import check_instance
from kmscore._values import Record

PREFIX_LENGTH: Final = 3

INSTANCE_PREFIX: Final = b"\x24\x00\x02"
"""The prefix of the blobs of a KMS instance."""


class Layout(StrEnum):
    """The arrangement of the fields of a blob."""

    V1 = "v1"
    """The format of this library, `kmscore.CiphertextBlob`."""

    SERVICE = "service"
    """The service's own format, `ServiceBlob`."""


class Payload(StrEnum):
    """The form in which a plaintext is encrypted.

    The service encrypts the text of the parameter `Plaintext` unchanged. According to its documents
    this text is Base64, so `BASE64` returns the bytes of the plaintext. Clients also encrypt
    passwords and other plain texts. From the same blobs, `RAW` returns each text in UTF-8.

    A plain text that happens to be strict Base64, such as `password` or `4711`, is decoded by
    `BASE64` without an error, into other bytes. Use `RAW` for all blobs if some have plain texts.
    """

    BASE64 = "base64"
    """The Base64 text of the plaintext (RFC 4648 section 4)."""

    RAW = "raw"
    """The plaintext unchanged, as bytes or as the UTF-8 form of a text."""


class SortOrder(StrEnum):
    """The sort order of the keys of a context.

    The orders differ only for keys with characters above U+FFFF.
    """

    CODE_POINT = "code_point"
    """Order by code point, as in Python; order by UTF-8 bytes gives the same result."""

    UTF_16 = "utf_16"
    """Order by UTF-16 code unit, as in Java."""


class ContextBinding(StrEnum):
    """The form of a context as associated data."""

    DIGEST = "digest"
    """The SHA-256 digest of the sorted and joined pairs, 32 bytes."""

    HEXADECIMAL_DIGEST = "hexadecimal_digest"
    """The same digest as 64 hexadecimal digits, as in the vendor's handlers for KMS instances."""

    JSON = "json"
    """The JSON text that the client sent, in UTF-8, as in the handlers of an older client.

    The order of the pairs is part of the text, so the same pairs in another order are another
    context. A `JsonContext` has its own text. The text of any other mapping is compact JSON, with
    the pairs in the order of the mapping.
    """


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Profile(Record):
    """A layout with its options.

    The default values are the vendor's published rule, `Profile.ALIBABA`. The layout v1 has only
    the option `payload`.

    Raises:
        TypeError: If a field has the wrong type.
        ValueError: If `prefix` does not have 0 or 3 bytes, or if an option other than `payload` is
            given for the layout v1.
    """

    layout: Layout = Layout.SERVICE
    """The arrangement of the fields of a blob, v1 or the service's."""

    payload: Payload | None = None
    """The form in which a plaintext is encrypted.

    For `None`, the default, it is `RAW` in v1 and `BASE64` in the service's layout.
    """

    sort_order: SortOrder = SortOrder.CODE_POINT
    """The sort order of the keys of a context; it has no effect with `ContextBinding.JSON`."""

    empty_is_absent: bool = False
    """Whether `{}` is the same as `None`, so that it adds no associated data."""

    context_binding: ContextBinding = ContextBinding.DIGEST
    """The form of a context as associated data."""

    prefix: bytes = b""
    """The bytes before a blob, 0 or 3 of them; `24 00 02` for the blobs of a KMS instance."""

    V1: ClassVar["Profile"]
    """The format of this library."""

    V1_TEXT: ClassVar["Profile"]
    """The format of this library with the payload `BASE64`, for texts as in the service's blobs.

    A blob does not record whether it is of `V1` or of `V1_TEXT`.
    """

    ALIBABA: ClassVar["Profile"]
    """The vendor's published rule, which has the default value of every option."""

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
            raise ValueError("the layout v1 supports only the option payload")

    @property
    def is_v1(self) -> bool:
        """Whether the layout is the format of this library."""
        return self.layout is Layout.V1


_DEFAULTS: Final = (SortOrder.CODE_POINT, False, ContextBinding.DIGEST, b"")

Profile.V1 = Profile(layout=Layout.V1)
Profile.V1_TEXT = Profile(layout=Layout.V1, payload=Payload.BASE64)
Profile.ALIBABA = Profile()
