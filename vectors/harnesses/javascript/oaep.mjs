// Section 6: RSAES-OAEP (RFC 8017 section 7.1) with the empty label.
//
// A hash is { hash, hashLength } of the table of algorithms; it serves OAEP and MGF1.

import { createHash, randomBytes } from 'node:crypto';

import { concat, u32, xor } from './bytes.mjs';
import { KmsError } from './errors.mjs';
import { bitLength, bytesToInteger, integerToBytes } from './integers.mjs';
import { rsaPrivate, rsaPublic } from './rsa.mjs';

const SEPARATOR = 0x01;

function digest(name, bytes) {
  return createHash(name).update(bytes).digest();
}

function modulusBytes({ n }) {
  return Math.ceil(bitLength(n) / 8);
}

// 6.1: MGF1(Z, l), RFC 8017 section B.2.1.
export function mgf1({ hash, hashLength }, seed, length) {
  const count = Math.ceil(length / hashLength);
  const blocks = Array.from({ length: count }, (_, i) => digest(hash, concat(seed, u32(i))));
  return concat(...blocks).subarray(0, length);
}

// 6.1 step 2: the longest message.
function maxMessageBytes(key, { hashLength }) {
  return modulusBytes(key) - 2 * hashLength - 2;
}

export function checkOaepMessageSize(key, hash, message) {
  // 6.1 step 2: too long a message; the empty one is not too short.
  if (message.length > maxMessageBytes(key, hash)) {
    throw new KmsError('plaintext_size');
  }
}

// 6.1 step 3: lHash ‖ PS ‖ 01 ‖ M.
export function oaepDataBlock({ hash, hashLength }, k, message) {
  const labelHash = digest(hash, Buffer.alloc(0));
  const zeros = Buffer.alloc(k - 2 * hashLength - 2 - message.length);
  return concat(labelHash, zeros, Buffer.from([SEPARATOR]), message);
}

// 6.1 steps 5 to 7: EM = 00 ‖ maskedSeed ‖ maskedDB.
export function oaepEncode(hash, seed, dataBlock) {
  const maskedDataBlock = xor(dataBlock, mgf1(hash, seed, dataBlock.length));
  const maskedSeed = xor(seed, mgf1(hash, maskedDataBlock, hash.hashLength));
  return concat(Buffer.alloc(1), maskedSeed, maskedDataBlock);
}

// Section 6.1, from step 2.
export function oaepEncrypt(key, hash, message, drawSeed = randomBytes) {
  checkOaepMessageSize(key, hash, message);
  const k = modulusBytes(key);
  const dataBlock = oaepDataBlock(hash, k, message);
  // 6.1 step 4.
  const encoded = oaepEncode(hash, drawSeed(hash.hashLength), dataBlock);
  // 6.1 step 7.
  return integerToBytes(rsaPublic(key, bytesToInteger(encoded)), k);
}

// 6.2 step 5: undoes the two masks and gives DB.
function unmask(hash, encoded) {
  const maskedSeed = encoded.subarray(1, 1 + hash.hashLength);
  const maskedDataBlock = encoded.subarray(1 + hash.hashLength);
  const seed = xor(maskedSeed, mgf1(hash, maskedDataBlock, hash.hashLength));
  return xor(maskedDataBlock, mgf1(hash, seed, maskedDataBlock.length));
}

// 1 if two bytes are equal, else 0, without a branch.
function equalBytes(left, right) {
  return ((left ^ right) - 1) >>> 31;
}

// 1 if DB does not begin with lHash, else 0. All bytes are compared.
function hasOtherLabelHash({ hash }, dataBlock) {
  let difference = 0;
  digest(hash, Buffer.alloc(0)).forEach((byte, i) => {
    difference |= byte ^ dataBlock[i];
  });
  return 1 - equalBytes(difference, 0);
}

// The offset of the first `01` after zeros, and whether there is something else before it or no
// `01` at all. All bytes are visited.
function findSeparator({ hashLength }, dataBlock) {
  let looking = 1;
  let offset = 0;
  let bad = 0;
  for (let i = hashLength; i < dataBlock.length; i += 1) {
    const isSeparator = equalBytes(dataBlock[i], SEPARATOR);
    const isZero = equalBytes(dataBlock[i], 0);
    offset |= -(looking & isSeparator) & i;
    bad |= looking & (1 - isSeparator) & (1 - isZero);
    looking &= 1 - isSeparator;
  }
  return { offset, bad: bad | looking };
}

// 6.2 steps 5 and 6: one decision at the end, for every cause.
function oaepDecode(hash, encoded) {
  const dataBlock = unmask(hash, encoded);
  const separator = findSeparator(hash, dataBlock);
  let bad = 0;
  // 6.2 step 6: the first byte of EM is 0.
  bad |= 1 - equalBytes(encoded[0], 0);
  // 6.2 step 6: the first hLen bytes of DB are lHash.
  bad |= hasOtherLabelHash(hash, dataBlock);
  // 6.2 step 6: zeros and then `01` follow.
  bad |= separator.bad;
  if (bad !== 0) {
    throw new KmsError('decryption');
  }
  return dataBlock.subarray(separator.offset + 1);
}

// Section 6.2, from step 3.
export function oaepDecrypt(key, hash, ciphertext) {
  const k = modulusBytes(key);
  // 6.2 step 3: exactly k bytes.
  if (ciphertext.length !== k) {
    throw new KmsError('decryption');
  }
  const c = bytesToInteger(ciphertext);
  // 6.2 step 4: c is below n.
  if (c >= key.n) {
    throw new KmsError('decryption');
  }
  // 6.2 step 5.
  return oaepDecode(hash, integerToBytes(rsaPrivate(key, c), k));
}
