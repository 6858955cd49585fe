"""Sixty mistakes in the audit kit, which its ties or its replay must notice.

Each is a file of `kmscore/audit`, a text in it, the wrong text in its place, and the mistake. The
second half was written by a person who had not seen the first.
"""

from typing import Final, TypeAlias

WrongStep: TypeAlias = tuple[str, str, str, str]

FIRST_HALF: Final[tuple[WrongStep, ...]] = (
    ("primitives.py", "0x87 * (value >> 127)", "0 * (value >> 127)", "K1 without 87"),
    ("primitives.py", "0xE1 << 120", "0xC1 << 120", "another polynomial of GHASH"),
    ("primitives.py", "8 * len(each)", "len(each)", "lengths in bytes"),
    (
        "primitives.py",
        'iv + number.to_bytes(4, "big")',
        'iv + number.to_bytes(4, "little")',
        "counter little-endian",
    ),
    ("primitives.py", "(len(texts) // 2).to_bytes", "len(texts).to_bytes", "count of texts"),
    ("primitives.py", 'b"&".join', 'b",".join', "pairs joined with a comma"),
    (
        "primitives.py",
        "for part in parts:\n        digest",
        "for part in parts[::-1]:\n        digest",
        "SM3 of reversed parts",
    ),
    (
        "primitives.py",
        "return offset.to_bytes(2",
        "return (offset + 1).to_bytes(2",
        "position after 01",
    ),
    ("primitives.py", '"big") + 1 :]', '"big") :]', "message with its 01"),
    ("primitives.py", "+ A * value + B)", "+ A * value)", "curve without b"),
    ("primitives.py", "(3 * x1 * x1 + A)", "(3 * x1 * x1)", "doubling without a"),
    (
        "primitives.py",
        "multiple(scalar, x, y)[1]",
        "multiple(scalar, x, y)[0]",
        "x2 in place of y2",
    ),
    ("gcm.py", '"counter", iv, 1)', '"counter", iv, 0)', "J0 with counter 0"),
    ("gcm.py", '"cut", nonce, 0, 12)', '"cut", nonce, 12, 24)', "salt from the second half"),
    ("gcm.py", "(*padded, end))", "padded)", "GHASH without lengths"),
    ("gcm.py", '"xor", cipher.first_block', '"xor", cipher.hash_key', "tag masked with H"),
    (
        "contexts.py",
        'pair[0].encode("utf-8"))\n        value',
        'pair[0].encode("utf-16-be"))\n        value',
        "order of UTF-16 in v1",
    ),
    ("blobs.py", '"cut", blob, 0, offset)', '"cut", blob, 0, body)', "header with the IV"),
    ("keychecks.py", "key.suite is blob.suite", "True", "suite not compared"),
    (
        "keychecks.py",
        'KeyState.ENABLED, "key_state"',
        'KeyState.ENABLED, "key_usage"',
        "another code",
    ),
    ("oaep.py", "and notes.data(found) == notes.data(expected)", "", "lHash not compared"),
    ("sm2pke.py", "range(1, 1 + -(", "range(0, -(", "KDF from 0"),
    (
        "sides.py",
        "most // 4 * 3 if self.has_text",
        "most if self.has_text",
        "limit of a Base64 text",
    ),
    ("primitives.py", "bytes(a ^ b for", "bytes(a | b for", "OR in place of XOR"),
    ("primitives.py", "return mask[:length]", "return mask[-length:]", "last bytes of a mask"),
    ("sm2pke.py", '"curve_left", y1', '"curve_left", x1', "left side of the equation from x1"),
    ("gcm.py", "length, *blocks", "length, *blocks[::-1]", "key stream in reverse"),
    ("oaep.py", '"cut", encoded, 1 + h, k', '"cut", encoded, h, k', "masked DB one byte early"),
    ("oaep.py", '"cut", block, 0, h', '"cut", block, 1, h + 1', "lHash one byte late"),
    (
        "keychecks.py",
        'bool(found), "key_version_not_found"',
        'bool(found), "key_not_found"',
        "another code of the service",
    ),
)

SECOND_HALF: Final[tuple[WrongStep, ...]] = (
    ("primitives.py", "shifted ^ 0x87 *", "shifted ^ 0x1B *", "CMAC subkey uses polynomial of AES"),
    (
        "primitives.py",
        "bytes(-len(data) % BLOCK)",
        "bytes(BLOCK - len(data) % BLOCK)",
        "whole blocks get an extra block",
    ),
    (
        "primitives.py",
        "for each in (associated_data, ciphertext))",
        "for each in (ciphertext, associated_data))",
        "both lengths of GHASH are swapped",
    ),
    ("primitives.py", 'mask, number = b"", 0', 'mask, number = b"", 1', "MGF1 counts from one"),
    (
        "primitives.py",
        "pow(value, 3, P) + A * value + B",
        "pow(value, 3, P) + 3 * value + B",
        "curve coefficient is plus three",
    ),
    (
        "primitives.py",
        "for bit in range(127, -1, -1):",
        "for bit in range(128):",
        "GHASH takes bits from the wrong end",
    ),
    (
        "gcm.py",
        'bytes([0, number]) + b"X\\x00"',
        'bytes([0, number]) + b"\\x00X"',
        "last prefix bytes of derivation are swapped",
    ),
    (
        "gcm.py",
        '"counter", cipher.iv, number\n',
        '"counter", cipher.iv, number - 1\n',
        "key stream starts at counter one",
    ),
    ("gcm.py", '"cut", nonce, 12, 24)', '"cut", nonce, 0, 12)', "inner IV is the first nonce half"),
    (
        "contexts.py",
        'pairs.sort(key=lambda pair: pair[0].encode("utf-8"))',
        'pairs.sort(key=lambda pair: pair[0].lower().encode("utf-8"))',
        "context keys are sorted without case",
    ),
    (
        "contexts.py",
        '.count("=") <= 1',
        '.count("=") <= len(pairs)',
        "several pairs count as unambiguous",
    ),
    (
        "contexts.py",
        "context is None or (not pairs and profile.empty_is_absent)",
        "context is None or not pairs",
        "empty service context always counts as absent",
    ),
    (
        "contexts.py",
        'number_part(f"length of the {name}", part.length, 2)',
        'number_part(f"length of the {name}", len(text), 2)',
        "context fields count characters, not bytes",
    ),
    (
        "blobs.py",
        '"bytes before the IV", "cut", blob, 0, version)',
        '"bytes before the IV", "cut", blob, start, version)',
        "shown service header lacks the prefix",
    ),
    (
        "blobs.py",
        'number_part("key version ID length", len(key_version_id), 1)',
        'number_part("key version ID length", len(key_id), 1)',
        "shown version length is of key ID",
    ),
    (
        "blobs.py",
        "        *([prefix] if profile.prefix else []),\n",
        "",
        "service fields leave out the prefix",
    ),
    (
        "keychecks.py",
        'key.suite is blob.suite,\n        "incorrect_key",',
        'key.suite is blob.suite,\n        "key_usage",',
        "wrong error code for another suite",
    ),
    (
        "keychecks.py",
        "    _check_state(notes, primary)\n    key = _check_symmetric(notes, primary)\n",
        "    key = _check_symmetric(notes, primary)\n    _check_state(notes, primary)\n",
        "key type is checked before its state",
    ),
    (
        "keychecks.py",
        "key.state is KeyState.ENABLED",
        "key.state in KeyState",
        "check of the state never fails",
    ),
    (
        "keychecks.py",
        "key = keys.version(key_id, key_version_id)",
        "key = keys.primary(key_id)",
        "primary version replaces the named version",
    ),
    (
        "sides.py",
        '"join", header, bound)',
        '"join", bound, header)',
        "context comes before header in associated data",
    ),
    (
        "sides.py",
        '"join", header, iv, ciphertext, tag)',
        '"join", header, iv, tag, ciphertext)',
        "tag comes before ciphertext in new blob",
    ),
    (
        "sides.py",
        "bytes([len(version_id)]), version_id),",
        "version_id),",
        "header lacks length of key version ID",
    ),
    (
        "oaep.py",
        '"cut", encoded, 1, 1 + h,',
        '"cut", encoded, 0, h,',
        "masked seed starts one byte early",
    ),
    (
        "oaep.py",
        '"hash of the empty label", name)',
        '"hash of the empty label", "sha256")',
        "label hash is always SHA-256",
    ),
    ("sm2pke.py", '"sm3", x2, m, y2)', '"sm3", x2, y2, m)', "digest takes plaintext last"),
    (
        "sm2pke.py",
        '_head_part("the SEQUENCE", 0x30, len(raw) - start)',
        '_head_part("the SEQUENCE", 0x30, len(raw))',
        "shown sequence length includes its own head",
    ),
    (
        "sm2pke.py",
        'raw[offset + 2 : start], "big")',
        'raw[offset + 2 : start], "little")',
        "long DER length is read in reverse",
    ),
    (
        "tracing.py",
        "        destination.bind(sealing)\n        opener = source.find_key()\n",
        "        opener = source.find_key()\n        destination.bind(sealing)\n",
        "source key is checked before destination context",
    ),
    (
        "tracing.py",
        "destination.bind(sealing)",
        "destination.bind(opening)",
        "new blob gets the source context",
    ),
)
