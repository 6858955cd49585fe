// Section 13.2: the service's own blob.
//
//   prefix (0 or 3 bytes) | key version ID (36) | IV (12) | ciphertext | tag (16)
//
// This module has no cryptography.

import { KmsError } from './errors.mjs';

// Section 13.5: what is sealed, as Base64 or as it is.
export const MAX_PAYLOAD_BYTES = 8192;

const MAX_BLOB_BYTES = 8259;
const ID_BYTES = 36;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const UUID = /^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$/;

// Section 13.2: a UUID of 8, 4, 4, 4 and 12 hexadecimal digits of either case.
export function isUuid(text) {
  return UUID.test(text);
}

function fail() {
  throw new KmsError('invalid_blob');
}

// 13.2 step 2: gives what follows the prefix of the profile.
function dropPrefix(bytes, prefix) {
  if (!prefix.equals(bytes.subarray(0, prefix.length))) {
    fail();
  }
  return bytes.subarray(prefix.length);
}

// Section 13.2: gives the fields of a blob.
export function parseServiceBlob(bytes, prefix) {
  // 13.2 step 1: before anything else; the limit is the same without a prefix.
  if (bytes.length > MAX_BLOB_BYTES) {
    fail();
  }
  const fields = dropPrefix(bytes, prefix);
  // 13.2 step 3: no room for the fields of fixed length.
  if (fields.length < ID_BYTES + IV_BYTES + TAG_BYTES) {
    fail();
  }
  const keyVersionId = fields.subarray(0, ID_BYTES).toString('latin1');
  // 13.2 step 4: the key version ID is a UUID.
  if (!isUuid(keyVersionId)) {
    fail();
  }
  const tagOffset = fields.length - TAG_BYTES;
  // 13.2 step 5.
  return {
    keyVersionId,
    iv: fields.subarray(ID_BYTES, ID_BYTES + IV_BYTES),
    ciphertext: fields.subarray(ID_BYTES + IV_BYTES, tagOffset),
    tag: fields.subarray(tagOffset),
  };
}
