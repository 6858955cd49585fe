// Sections 13.3 and 13.4: the associated data of a context, and whether it is ambiguous.

import { createHash } from 'node:crypto';

import { compareBytes, utf8Encode } from './bytes.mjs';
import { compactJson } from './compact_json.mjs';
import { canonicalize } from './context.mjs';
import { KmsError } from './errors.mjs';

// The order of code points is that of the UTF-8 bytes (section 4.1 step 4).
function compareCodePoints(left, right) {
  return compareBytes(utf8Encode(left), utf8Encode(right));
}

// The operators of JavaScript compare UTF-16 units.
function compareUtf16Units(left, right) {
  if (left === right) {
    return 0;
  }
  return left < right ? -1 : 1;
}

// Section 13.1, option `sort_order`.
const KEY_ORDERS = new Map([
  ['code_point', compareCodePoints],
  ['utf_16', compareUtf16Units],
]);

// Gives the function that compares two keys by `sortOrder`.
export function keyOrder(sortOrder) {
  const compare = KEY_ORDERS.get(sortOrder);
  if (compare === undefined) {
    throw new TypeError('unknown sort_order');
  }
  return compare;
}

// 13.3 steps 2 and 3: gives the text of a context.
export function contextText(pairs, sortOrder) {
  const compare = keyOrder(sortOrder);
  // 13.3 step 2: by key.
  const sorted = [...pairs].sort(([left], [right]) => compare(left, right));
  // 13.3 step 3: nothing is escaped.
  return sorted.map(([key, value]) => `${key}=${value}`).join('&');
}

// Section 13.3: gives the associated data of a context, or of none (`null`), in a profile.
export function serviceAssociatedData(pairs, profile) {
  // 13.3 step 1: no context at all.
  if (pairs === null) {
    return Buffer.alloc(0);
  }
  // 13.3: a context obeys section 4.1 in this layout too.
  canonicalize(pairs);
  // 13.3 step 1: a context without pairs that counts as none.
  if (profile.emptyIsAbsent && pairs.length === 0) {
    return Buffer.alloc(0);
  }
  // 13.3 step 1: the JSON text.
  if (profile.contextBinding === 'json') {
    return utf8Encode(compactJson(pairs));
  }
  const text = utf8Encode(contextText(pairs, profile.sortOrder));
  // 13.3 step 4.
  const digest = createHash('sha256').update(text).digest();
  // 13.3 step 5: the digest as text.
  if (profile.contextBinding === 'hexadecimal_digest') {
    return Buffer.from(digest.toString('hex'), 'latin1');
  }
  // 13.3 step 5: the digest.
  return digest;
}

// Section 13.4: tells whether the text of a context has two `=` or more.
export function isAmbiguous(pairs) {
  // 13.3: a context obeys section 4.1 in this layout too.
  canonicalize(pairs);
  const text = contextText(pairs, 'code_point');
  return text.split('=').length - 1 >= 2;
}

// Section 13.4: rejects an ambiguous context that the caller did not allow.
export function rejectAmbiguous(pairs, profile) {
  // 13.4: no context at all has one reading.
  if (pairs === null) {
    return;
  }
  // 13.4: a JSON text is read as one map only.
  if (profile.contextBinding === 'json') {
    return;
  }
  // 13.4 and 13.5 step 2.
  if (isAmbiguous(pairs)) {
    throw new KmsError('invalid_context');
  }
}
