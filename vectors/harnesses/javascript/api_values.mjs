// Section 14.1: what each parameter has to be. A reader gives the value or throws a KmsError.

import { invalidParameter } from './api_errors.mjs';
import { MAX_PLAINTEXT_BYTES } from './blob.mjs';
import { decodeBase64, utf8Encode } from './bytes.mjs';
import { canonicalize, parseContext } from './context.mjs';
import { KmsError } from './errors.mjs';
import { parsePublicKey } from './public_keys.mjs';
import { MAX_PAYLOAD_BYTES } from './service_blob.mjs';
import { ALGORITHMS } from './suites.mjs';

const MAX_BASE64_CHARACTERS = 16384;
const MAX_DATA_KEY_BYTES = 1024;

// Section 14.1: the lengths of data keys in bytes.
const DATA_KEY_SPECS = new Map([
  ['AES_256', 32],
  ['AES_128', 16],
]);
const WRAPPING_KEY_SPECS = new Set(['RSA_2048', 'EC_SM2']);

// The code does not leave this module: each failure is `InvalidParameter`.
function fail() {
  throw new KmsError('invalid_blob');
}

// 14.1: any text. One that is empty is absent.
function readText(text) {
  return text;
}

function readBase64(text) {
  // 14.1: at most 16,384 characters.
  if (text.length > MAX_BASE64_CHARACTERS) {
    fail();
  }
  // 14.1: strict Base64.
  return decodeBase64(text, 'invalid_blob');
}

function readPublicKey(text) {
  // 14.1: a SubjectPublicKeyInfo in DER of an RSA or SM2 key.
  return parsePublicKey(readBase64(text));
}

function readContext(text) {
  // 14.1: the JSON form of section 4.2.
  const pairs = parseContext(text);
  // 4.2 step 8: it has canonical bytes.
  canonicalize(pairs);
  return pairs;
}

function readAlgorithm(text) {
  // 14.1: one of the three.
  if (!ALGORITHMS.has(text)) {
    fail();
  }
  return text;
}

// Gives the length of the data key in bytes.
function readKeySpec(text) {
  // 14.1: `AES_256` or `AES_128`.
  if (!DATA_KEY_SPECS.has(text)) {
    fail();
  }
  return DATA_KEY_SPECS.get(text);
}

function readNumberOfBytes(text) {
  // 14.1: ASCII digits without a sign or a leading zero.
  if (!/^[1-9][0-9]*$/.test(text)) {
    fail();
  }
  // 14.1: at most 1,024.
  if (Number(text) > MAX_DATA_KEY_BYTES) {
    fail();
  }
  return Number(text);
}

function readWrappingKeySpec(text) {
  // 14.1: `RSA_2048` or `EC_SM2`.
  if (!WRAPPING_KEY_SPECS.has(text)) {
    fail();
  }
  return text;
}

function readBase64Plaintext(text) {
  const plaintext = readBase64(text);
  // 14.1: at most 6,144 bytes.
  if (plaintext.length > MAX_PLAINTEXT_BYTES) {
    fail();
  }
  return plaintext;
}

function readOpaquePlaintext(text) {
  // 2 and 14.1: a text with a UTF-8 form.
  const plaintext = utf8Encode(text);
  // 14.1: at most 8,192 bytes in UTF-8.
  if (plaintext.length > MAX_PAYLOAD_BYTES) {
    fail();
  }
  return plaintext;
}

const READERS = new Map([
  ['KeyId', readText],
  ['DestinationKeyId', readText],
  ['SourceKeyId', readText],
  ['KeyVersionId', readText],
  ['SourceKeyVersionId', readText],
  ['CiphertextBlob', readBase64],
  ['PublicKeyBlob', readPublicKey],
  ['Plaintext', readBase64Plaintext],
  ['EncryptionContext', readContext],
  ['SourceEncryptionContext', readContext],
  ['DestinationEncryptionContext', readContext],
  ['Algorithm', readAlgorithm],
  ['WrappingAlgorithm', readAlgorithm],
  ['SourceEncryptionAlgorithm', readAlgorithm],
  ['KeySpec', readKeySpec],
  ['NumberOfBytes', readNumberOfBytes],
  ['WrappingKeySpec', readWrappingKeySpec],
]);

function readerOf(name, action, layout) {
  // 14.1: the `Plaintext` of `Encrypt` in the service's layout is an opaque text.
  if (name === 'Plaintext' && action === 'Encrypt' && layout === 'service') {
    return readOpaquePlaintext;
  }
  return READERS.get(name);
}

// Gives the value of a parameter, or fails with `InvalidParameter`.
export function readValue(name, text, action, layout) {
  try {
    return readerOf(name, action, layout)(text);
  } catch (error) {
    if (!(error instanceof KmsError)) {
      throw error;
    }
  }
  throw invalidParameter(name);
}
