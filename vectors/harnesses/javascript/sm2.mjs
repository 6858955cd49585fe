// Section 7: SM2 public-key encryption, and the encodings of its ciphertexts.
//
// A parsed ciphertext is { point, c3, c2 }.

import { concat, equalConstantTime, u32, xor } from './bytes.mjs';
import { encodeElement, encodeInteger, readSequence, TAGS } from './der.mjs';
import { KmsError } from './errors.mjs';
import { bytesToInteger, randomInteger } from './integers.mjs';
import { sm3 } from './sm3.mjs';
import {
  COORDINATE_BYTES, encodeCoordinate, G, isValidPoint, multiplyPoint, N,
} from './sm2_curve.mjs';

export const MAX_MESSAGE_BYTES = 6047;
export const MAX_CIPHERTEXT_BYTES = 6159;

const C1_BYTES = 2 * COORDINATE_BYTES;
const C3_BYTES = 32;
const UNCOMPRESSED = Buffer.from([0x04]);
const NO_PREFIX = Buffer.alloc(0);
const SEQUENCE_BYTE = 0x30;

// Section 7.2: the encodings, with the most bytes that each can have.
const ENCODINGS = new Map([
  ['ASN1_DER', { maxBytes: 6159, isDer: true }],
  ['C1C3C2', { maxBytes: 6144, prefix: UNCOMPRESSED, c3First: true }],
  ['C1C2C3', { maxBytes: 6144, prefix: UNCOMPRESSED, c3First: false }],
  ['C1C3C2_BARE', { maxBytes: 6143, prefix: NO_PREFIX, c3First: true }],
  ['C1C2C3_BARE', { maxBytes: 6143, prefix: NO_PREFIX, c3First: false }],
]);

// 7.3 step 2: exactly one SEQUENCE of exactly these four elements.
function parseDer(bytes, code) {
  const sequence = readSequence(bytes, code);
  const x = sequence.readInteger();
  const y = sequence.readInteger();
  const c3 = sequence.readOctetString();
  const c2 = sequence.readOctetString();
  sequence.end();
  return { point: { x, y }, c3, c2 };
}

// 7.3 step 3: the encodings with fixed places.
function parsePlain(bytes, { prefix, c3First }, code) {
  // 7.3 step 3: there is room for `04`, C1 and C3.
  if (bytes.length < prefix.length + C1_BYTES + C3_BYTES) {
    throw new KmsError(code);
  }
  // 7.3 step 3: the first byte of an encoding with `04` is that.
  if (!prefix.equals(bytes.subarray(0, prefix.length))) {
    throw new KmsError(code);
  }
  const yOffset = prefix.length + COORDINATE_BYTES;
  const rest = bytes.subarray(yOffset + COORDINATE_BYTES);
  const c3Offset = c3First ? 0 : rest.length - C3_BYTES;
  return {
    point: {
      x: bytesToInteger(bytes.subarray(prefix.length, yOffset)),
      y: bytesToInteger(bytes.subarray(yOffset, yOffset + COORDINATE_BYTES)),
    },
    c3: rest.subarray(c3Offset, c3Offset + C3_BYTES),
    c2: c3First ? rest.subarray(C3_BYTES) : rest.subarray(0, c3Offset),
  };
}

function checkParts({ point, c3, c2 }, code) {
  // 7.3 step 4: C2 has a byte.
  if (c2.length === 0) {
    throw new KmsError(code);
  }
  // 7.3 step 4: C2 is not longer than a message can be.
  if (c2.length > MAX_MESSAGE_BYTES) {
    throw new KmsError(code);
  }
  // 7.3 step 5: C3 has exactly 32 bytes.
  if (c3.length !== C3_BYTES) {
    throw new KmsError(code);
  }
  // 7.3 step 6: the coordinates are in range and the point is on the curve.
  if (!isValidPoint(point)) {
    throw new KmsError(code);
  }
}

// 7.6: an unknown encoding.
function findEncoding(name) {
  const encoding = ENCODINGS.get(name);
  if (encoding === undefined) {
    throw new KmsError('unsupported_algorithm');
  }
  return encoding;
}

// Section 7.3: gives the parts of a ciphertext, or fails with `code`.
export function parseSm2Ciphertext(bytes, encodingName, code) {
  const encoding = findEncoding(encodingName);
  // 7.3 step 1: before anything else is done.
  if (bytes.length > encoding.maxBytes) {
    throw new KmsError(code);
  }
  const parts = encoding.isDer ? parseDer(bytes, code) : parsePlain(bytes, encoding, code);
  checkParts(parts, code);
  return parts;
}

// Section 7.2.
export function encodeSm2Ciphertext({ point, c3, c2 }, encodingName) {
  const { isDer, prefix, c3First } = findEncoding(encodingName);
  if (isDer) {
    const octets = [c3, c2].map((bytes) => encodeElement(TAGS.OCTET_STRING, bytes));
    const integers = [encodeInteger(point.x), encodeInteger(point.y)];
    return encodeElement(TAGS.SEQUENCE, concat(...integers, ...octets));
  }
  const c1 = [encodeCoordinate(point.x), encodeCoordinate(point.y)];
  return concat(prefix, ...c1, ...(c3First ? [c3, c2] : [c2, c3]));
}

// Section 7.6.
export function convertSm2(source, target, ciphertext) {
  // 7.6: both encodings are known.
  findEncoding(source);
  findEncoding(target);
  return encodeSm2Ciphertext(parseSm2Ciphertext(ciphertext, source, 'invalid_blob'), target);
}

// 7.4 step 4: the first `length` bytes of the key stream of a shared point.
function deriveKeyStream(x2, y2, length) {
  const count = Math.ceil(length / C3_BYTES);
  const blocks = Array.from({ length: count }, (_, i) => sm3(concat(x2, y2, u32(i + 1))));
  return concat(...blocks).subarray(0, length);
}

// Visits all bytes in any case.
function isAllZero(bytes) {
  return bytes.reduce((sum, byte) => sum | byte, 0) === 0;
}

function encodeShared({ x, y }) {
  return [encodeCoordinate(x), encodeCoordinate(y)];
}

// 7.4 steps 3 to 7 for a given k of 1 to n - 1; undefined if t is all zero (step 5).
export function sm2EncryptWithK(publicPoint, message, k) {
  // 10: k is 1 to n - 1.
  if (k < 1n || k >= N) {
    throw new RangeError('k is not 1 to n - 1');
  }
  // 7.4 step 3.
  const point = multiplyPoint(k, G);
  const [x2, y2] = encodeShared(multiplyPoint(k, publicPoint));
  // 7.4 step 4.
  const t = deriveKeyStream(x2, y2, message.length);
  // 7.4 step 5.
  if (isAllZero(t)) {
    return undefined;
  }
  // 7.4 step 6.
  const parts = { point, c3: sm3(concat(x2, message, y2)), c2: xor(message, t) };
  // 7.4 step 7.
  return encodeSm2Ciphertext(parts, 'C1C3C2');
}

export function checkSm2MessageSize(message) {
  // 7.4 step 1: the empty message has no ciphertext.
  if (message.length === 0) {
    throw new KmsError('plaintext_size');
  }
  // 7.4 step 1: the longest message.
  if (message.length > MAX_MESSAGE_BYTES) {
    throw new KmsError('plaintext_size');
  }
}

// Section 7.4, from the size of the message on.
export function sm2Encrypt(publicPoint, message) {
  checkSm2MessageSize(message);
  let ciphertext;
  while (ciphertext === undefined) {
    // 7.4 step 2.
    ciphertext = sm2EncryptWithK(publicPoint, message, randomInteger(1n, N - 1n));
  }
  return ciphertext;
}

// 7.5 step 3: the first byte tells the encoding.
function encodingOf(ciphertext) {
  if (ciphertext[0] === SEQUENCE_BYTE) {
    return 'ASN1_DER';
  }
  if (ciphertext[0] === UNCOMPRESSED[0]) {
    return 'C1C3C2';
  }
  throw new KmsError('decryption');
}

// Section 7.5, from step 2.
export function sm2Decrypt({ d }, ciphertext) {
  // 7.5 step 2: before the first byte is looked at.
  if (ciphertext.length > MAX_CIPHERTEXT_BYTES) {
    throw new KmsError('decryption');
  }
  // 7.5 steps 3 and 4: the point is checked before d is used.
  const encoding = encodingOf(ciphertext);
  const { point, c3, c2 } = parseSm2Ciphertext(ciphertext, encoding, 'decryption');
  // 7.5 step 5.
  const [x2, y2] = encodeShared(multiplyPoint(d, point));
  // 7.5 step 6.
  const t = deriveKeyStream(x2, y2, c2.length);
  const message = xor(c2, t);
  // 7.5 steps 6 and 7: both are computed before one decision, so that both take the same time.
  const isZero = isAllZero(t);
  const isAuthentic = equalConstantTime(sm3(concat(x2, message, y2)), c3);
  if (isZero || !isAuthentic) {
    throw new KmsError('decryption');
  }
  return message;
}
