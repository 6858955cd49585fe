// Section 14.7: parameters of a query or a form, and `enc` and `query` of what is signed.

import { compareBytes, utf8Decode, utf8Encode } from './bytes.mjs';
import { KmsError } from './errors.mjs';

const REJECTED = 'InvalidParameter';
const MAX_PARTS = 8192;

// 14.7 "Reading" step 3: gives the text of a name or a value. `raw` has one character per byte.
function decodePart(raw) {
  // 14.7 step 3: `%` without two hexadecimal digits.
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) {
    throw new KmsError(REJECTED);
  }
  // 14.7 step 3: `+` is a space, `%` with two digits a byte.
  const spaced = raw.replaceAll('+', ' ');
  const decoded = spaced.replace(/%(..)/g, (_, digits) => {
    return String.fromCharCode(parseInt(digits, 16));
  });
  // 14.7 step 3: the bytes are UTF-8.
  return utf8Decode(Buffer.from(decoded, 'latin1'), REJECTED);
}

// 14.7 "Reading" step 3: gives the parameters of a query as [name, value].
export function readQuery(raw) {
  // 14.7 step 3: empty parts are ignored.
  const parts = raw.split('&').filter((part) => part !== '');
  // 14.7 step 3: at most 8,192 parts.
  if (parts.length > MAX_PARTS) {
    throw new KmsError(REJECTED);
  }
  return parts.map((part) => {
    // 14.7 step 3: each part is split at its first `=`.
    const end = part.includes('=') ? part.indexOf('=') : part.length;
    return [decodePart(part.slice(0, end)), decodePart(part.slice(end + 1))];
  });
}

// 14.7: percent-encoding of all bytes but letters, digits, `-`, `.`, `_` and `~`.
export function enc(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => {
    const digits = character.charCodeAt(0).toString(16).toUpperCase();
    return `%${digits}`;
  });
}

// 14.7: `query` of pairs, sorted by name.
export function canonicalQuery(pairs) {
  const encoded = pairs.map(([name, value]) => ({
    order: utf8Encode(name),
    text: `${enc(name)}=${enc(value)}`,
  }));
  encoded.sort((left, right) => compareBytes(left.order, right.order));
  return encoded.map(({ text }) => text).join('&');
}
