"""The control: a fault of the library for each harness, which the harness must find."""

import base64
import contextlib
import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final, NamedTuple


class Planted(NamedTuple):
    """A name in a module of the library, and its wrong value."""

    place: str
    """The module and the name, with a colon between them."""

    replace: Callable[[Any], Any]
    """A function from the right value to the wrong one."""


def _without_padding_bits(_decode: Any) -> Any:
    """Accept every Base64 that Python accepts."""

    def decode(data: bytes) -> bytes | None:
        try:
            return base64.b64decode(data)
        except ValueError:
            return None

    return decode


def _with_trailing_byte(parse: Any) -> Any:
    def lax(ciphertext: bytes, encoding: Any) -> Any:
        try:
            return parse(ciphertext, encoding)
        except ValueError:
            raise
        except Exception:  # noqa: BLE001 (this is a fault)
            return parse(ciphertext[:-1], encoding)

    return lax


PLANTED: Final = MappingProxyType(
    {
        # A space in a key ID.
        "blob": Planted(
            "kmscore.blob:is_id", lambda is_id: lambda text: is_id(text.replace(" ", "_"))
        ),
        "blob-base64": Planted("kmscore.blob:decode_base64", _without_padding_bits),
        # A key version ID with any digits between the hyphens.
        "service-blob": Planted(
            "kmscore.alibaba.service_blob:_UUID",
            lambda _: re.compile(r"\w{8}(?:-\w{4}){3}-\w{12}", re.ASCII),
        ),
        # Repeated keys.
        "context": Planted("kmscore.context:_decoder", lambda _: json.JSONDecoder),
        "context-rule": Planted("kmscore.alibaba.context_rule:_UNIQUE", lambda _: 2),
        "sm2-encodings": Planted(
            "kmscore.sm2.encodings:is_on_curve", lambda _: lambda _point: True
        ),
        "sm2-decryption": Planted("kmscore.sm2.scheme:parse", _with_trailing_byte),
        # Any algorithm and curve.
        "public-key": Planted(
            "kmscore.keys.der:_check_algorithm", lambda _: lambda _identifier: None
        ),
        # A public key of another private key in the same file.
        "private-key": Planted(
            "kmscore.keys.sm2:_derive_point", lambda derive: lambda d, _point: derive(d, None)
        ),
        # The error of the ASN.1 parser.
        "encrypted-key": Planted(
            "kmscore.keys.encrypted:_parse",
            lambda _: lambda algorithm, kind, _name: algorithm.parameters.parse(kind),
        ),
        "pem": Planted("kmscore.keys.pem:decode_base64", _without_padding_bits),
        # The error of the codec.
        "keyring-content": Planted(
            "kmscore.keyfile.content:_Reader.text",
            lambda _: lambda reader: reader.take(reader.number(1)).decode("ascii"),
        ),
        # A header that ends early.
        "keyring-file": Planted("kmscore.keyfile.sealing:_LEAST_LENGTH", lambda _: 0),
        # The last of two equal names.
        "request": Planted("kmscore.alibaba.http_request:_merged", lambda _: dict),
        # A comparison of the first bytes.
        "signature": Planted(
            "kmscore.alibaba.signature_schemes:hmac",
            lambda hmac: SimpleNamespace(
                digest=hmac.digest, compare_digest=lambda one, other: one[:4] == other[:4]
            ),
        ),
        # The error of the codec.
        "api": Planted(
            "kmscore.alibaba.parameter_readers:decode_base64",
            lambda _: lambda data: base64.b64decode(data, validate=True),
        ),
        # Repeated names.
        "policy": Planted("kmscore.alibaba.policy_document:_unique", lambda _: dict),
        # The same text in another column.
        "csv": Planted(
            "kmscore.tables.comma_separated:CommaSeparated._rewritten",
            lambda _: lambda _self, text, _place, old, new: text.replace(old, new),
        ),
        "json-lines": Planted(
            "kmscore.tables.json_lines:_rewritten",
            lambda _: lambda line, _name, old, new: line.replace(old.encode(), new.encode()),
        ),
        # Control characters in strings.
        "json-members": Planted(
            "kmscore.tables.json_members:_SIMPLE",
            lambda simple: re.compile(simple.pattern.replace(r"\x00-\x1f", "")),
        ),
        # A truth value as a number.
        "job-files": Planted(
            "kmscore.tables.counts:_is_count", lambda _: lambda value: isinstance(value, int)
        ),
        # A date that is out of range in UTC.
        "emulator-documents": Planted(
            "kmscore.emulator.json_fields:suppress",
            lambda _: lambda *_errors: contextlib.suppress(ValueError),
        ),
        # The context of the source in place of the other.
        "short-paths": Planted(
            "kmscore.envelope:reseal",
            lambda reseal: (
                lambda source, destination, blob, opening, _sealing: reseal(
                    source, destination, blob, opening, opening
                )
            ),
        ),
    }
)
"""The fault for each harness."""


SUBTLE: Final = MappingProxyType(
    {
        # A wrong C3 gives a plaintext of zeros.
        "sm2-decryption": Planted(
            "kmscore.sm2.scheme:decrypt",
            lambda decrypt: (
                lambda decryptor, ciphertext: decrypt(
                    lambda parts: decryptor(parts) or bytes(len(parts.c2)), ciphertext
                )
            ),
        ),
        # A wrong tag has an error that is not documented.
        "short-paths": Planted("kmscore.envelope:DecryptionError", lambda _: ValueError),
        # A request is accepted on each day.
        "signature": Planted(
            "kmscore.alibaba.signatures:_check_date",
            lambda _: lambda _text, now, window: now + window,
        ),
        # Each condition is true.
        "policy": Planted(
            "kmscore.alibaba.policy_conditions:Condition.holds",
            lambda _: lambda _condition, _facts: True,
        ),
    }
)
"""Faults that two ways through the library have in common, so only a known answer shows them."""


def plant(name: str) -> Callable[[], None]:
    """Put the fault of a harness into the library, and return a function that removes it."""
    return put(PLANTED[name])


def put(fault: Planted) -> Callable[[], None]:
    """Put a fault into the library, and return a function that removes it."""
    module, _, path = fault.place.partition(":")
    *classes, attribute = path.split(".")
    holder: Any = import_module(module)
    for each in classes:
        holder = getattr(holder, each)
    right = getattr(holder, attribute)
    setattr(holder, attribute, fault.replace(right))
    return lambda: setattr(holder, attribute, right)


@contextlib.contextmanager
def planted(fault: Planted) -> Iterator[None]:
    """Put a fault into the library for a block."""
    remove = put(fault)
    try:
        yield
    finally:
        remove()
