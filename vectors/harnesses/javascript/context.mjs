// Section 4: the encryption context, its canonical bytes and its JSON form.

import { compareBytes, concat, u16, utf8Encode } from './bytes.mjs';
import { KmsError } from './errors.mjs';
import { readObjectOfStrings } from './json.mjs';

export const MAX_CANONICAL_BYTES = 65535;
export const MAX_JSON_CHARACTERS = 8192;

// Section 9: a key or value that is not a text is the one wrong type that has a code.
function encodeText(text) {
  if (typeof text !== 'string') {
    throw new KmsError('invalid_context');
  }
  return utf8Encode(text);
}

function canonicalLength(pairs) {
  return pairs.reduce((sum, [key, value]) => sum + 4 + key.length + value.length, 2);
}

// Section 4.1: gives the canonical bytes of a list of [key, value] with no key twice.
export function canonicalize(pairs) {
  // 4.1 step 1: UTF-8, or no encoding.
  const encoded = pairs.map(([key, value]) => [encodeText(key), encodeText(value)]);
  // 4.1 step 2: no pair gives no byte, and not a count of 0.
  if (encoded.length === 0) {
    return Buffer.alloc(0);
  }
  // 4.1 step 3: the length of the result bounds the number of pairs and the length of each field.
  if (canonicalLength(encoded) > MAX_CANONICAL_BYTES) {
    throw new KmsError('invalid_context');
  }
  // 4.1 step 4: order by the UTF-8 bytes of the keys.
  encoded.sort(([left], [right]) => compareBytes(left, right));
  // 4.1 step 5: each field behind its length.
  const fields = encoded.flatMap(([key, value]) => [
    u16(key.length),
    key,
    u16(value.length),
    value,
  ]);
  return concat(u16(encoded.length), ...fields);
}

// Tells whether a text has more characters (code points) than a limit, in time bounded by it.
function isLongerThan(text, limit) {
  return text.length > 2 * limit || Array.from(text).length > limit;
}

// Section 4.2: gives the pairs of a context in JSON, in the order of the text.
export function parseContext(text) {
  // 4.2 step 1: before the text is parsed.
  if (isLongerThan(text, MAX_JSON_CHARACTERS)) {
    throw new KmsError('invalid_context');
  }
  // 4.2 steps 2 to 8.
  return readObjectOfStrings(text, 'invalid_context');
}
