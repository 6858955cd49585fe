// Section 3: the ciphertext blob.
//
//   magic `KMS` | 01 | suite ID | len, key ID | len, key version ID | IV | ciphertext | tag
//
// The header is everything before the IV. This module has no cryptography.

import { concat, decodeBase64, u8 } from './bytes.mjs';
import { KmsError } from './errors.mjs';
import { SUITES } from './suites.mjs';

export const MAX_BLOB_BYTES = 6701;
export const MAX_BLOB_CHARACTERS = 8936;
export const MAX_PLAINTEXT_BYTES = 6144;
export const TAG_BYTES = 16;

const PREAMBLE = Buffer.from('4b4d5301', 'hex');
const ID_OFFSET = 5;

// Section 3.1: 1 to 255 bytes of `21` to `7E`. A text is compared by its characters.
export function isValidId(text) {
  return typeof text === 'string' && /^[\x21-\x7e]{1,255}$/.test(text);
}

function fail() {
  throw new KmsError('invalid_blob');
}

// 3.3 steps 4 and 5: reads an ID behind its length byte.
function readId(bytes, offset) {
  // 3.3 step 4: the length byte is missing.
  if (offset >= bytes.length) {
    fail();
  }
  const length = bytes[offset];
  // 3.3 step 4: the length is 0.
  if (length === 0) {
    fail();
  }
  const end = offset + 1 + length;
  // 3.3 step 4: fewer bytes follow than the length says.
  if (end > bytes.length) {
    fail();
  }
  const id = bytes.subarray(offset + 1, end);
  // 3.3 step 4: a byte is not printable ASCII without the space.
  if (id.some((byte) => byte < 0x21 || byte > 0x7e)) {
    fail();
  }
  return { text: Buffer.from(id).toString('latin1'), end };
}

function readSuiteId(bytes) {
  // 3.3 step 3: there is no byte at offset 4.
  if (bytes.length < ID_OFFSET) {
    fail();
  }
  const suiteId = bytes[PREAMBLE.length];
  // 3.3 step 3: the byte is not a suite ID.
  if (!SUITES.has(suiteId)) {
    fail();
  }
  return suiteId;
}

// Section 3.3: gives the fields of a blob. `header` is the blob's own header bytes.
export function parseBlob(bytes) {
  // 3.3 step 1: before anything else.
  if (bytes.length > MAX_BLOB_BYTES) {
    fail();
  }
  // 3.3 step 2: magic and format version, also if they are cut short.
  if (!PREAMBLE.equals(bytes.subarray(0, PREAMBLE.length))) {
    fail();
  }
  const suiteId = readSuiteId(bytes);
  const keyId = readId(bytes, ID_OFFSET);
  const keyVersionId = readId(bytes, keyId.end);
  const ivOffset = keyVersionId.end;
  const ivEnd = ivOffset + SUITES.get(suiteId).ivLength;
  const tagOffset = bytes.length - TAG_BYTES;
  // 3.3 step 6: no room for IV and tag.
  if (tagOffset < ivEnd) {
    fail();
  }
  // 3.3 step 7.
  return {
    suiteId,
    keyId: keyId.text,
    keyVersionId: keyVersionId.text,
    iv: bytes.subarray(ivOffset, ivEnd),
    ciphertext: bytes.subarray(ivEnd, tagOffset),
    tag: bytes.subarray(tagOffset),
    header: bytes.subarray(0, ivOffset),
  };
}

// Sections 3.1 and 3.4: gives the header, which is everything before the IV.
export function serializeHeader({ suiteId, keyId, keyVersionId }) {
  // 3.4: the suite ID is one of the table.
  if (!SUITES.has(suiteId)) {
    fail();
  }
  // 3.4: the key ID is one of section 3.1.
  if (!isValidId(keyId)) {
    fail();
  }
  // 3.4: the key version ID is one of section 3.1.
  if (!isValidId(keyVersionId)) {
    fail();
  }
  return concat(
    PREAMBLE,
    u8(suiteId),
    u8(keyId.length),
    Buffer.from(keyId, 'latin1'),
    u8(keyVersionId.length),
    Buffer.from(keyVersionId, 'latin1'),
  );
}

// Section 3.4: gives the blob of these fields.
export function serializeBlob(fields) {
  const header = serializeHeader(fields);
  // 3.4: the IV has the length that the suite says.
  if (fields.iv.length !== SUITES.get(fields.suiteId).ivLength) {
    fail();
  }
  // 3.4: the tag has 16 bytes.
  if (fields.tag.length !== TAG_BYTES) {
    fail();
  }
  const blob = concat(header, fields.iv, fields.ciphertext, fields.tag);
  // 3.4: the result is not longer than a blob can be.
  if (blob.length > MAX_BLOB_BYTES) {
    fail();
  }
  return blob;
}

// Section 3.5: gives the fields of a blob in Base64, and the bytes as `blob`.
export function parseBlobBase64(text) {
  // 3.5 step 1: before the text is decoded.
  if (text.length > MAX_BLOB_CHARACTERS) {
    fail();
  }
  // 3.5 step 2: strict Base64.
  const blob = decodeBase64(text, 'invalid_blob');
  // 3.5 step 3.
  return { ...parseBlob(blob), blob };
}
