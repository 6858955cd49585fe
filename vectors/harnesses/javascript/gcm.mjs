// Section 5.3: GCM (NIST SP 800-38D) with IVs of 96 bits and tags of 128, over any block cipher.
//
// A block cipher is a function that encrypts a whole number of blocks of 16 bytes.

import { concat, equalConstantTime, u32, u64, xor } from './bytes.mjs';
import { KmsError } from './errors.mjs';

const BLOCK_BYTES = 16;
const IV_BYTES = 12;

// The products of H with x^0 to x^127: 4 words for each, in the bit order of SP 800-38D.
function multiplesOf(h) {
  const table = new Int32Array(4 * 128);
  let [w0, w1, w2, w3] = [0, 4, 8, 12].map((offset) => h.readInt32BE(offset));
  for (let i = 0; i < 128; i += 1) {
    table.set([w0, w1, w2, w3], 4 * i);
    const reduction = -(w3 & 1) & 0xe1000000;
    w3 = (w3 >>> 1) | (w2 << 31);
    w2 = (w2 >>> 1) | (w1 << 31);
    w1 = (w1 >>> 1) | (w0 << 31);
    w0 = (w0 >>> 1) ^ reduction;
  }
  return table;
}

// Replaces x by x · H. Masks select the products, so that no branch depends on x.
function multiply(x, multiples) {
  let w0 = 0;
  let w1 = 0;
  let w2 = 0;
  let w3 = 0;
  for (let i = 0; i < 128; i += 1) {
    const mask = -((x[i >>> 5] >>> (31 - (i & 31))) & 1);
    w0 ^= multiples[4 * i] & mask;
    w1 ^= multiples[4 * i + 1] & mask;
    w2 ^= multiples[4 * i + 2] & mask;
    w3 ^= multiples[4 * i + 3] & mask;
  }
  x.set([w0, w1, w2, w3]);
}

// SP 800-38D section 6.4, of a whole number of blocks.
function ghash(h, data) {
  const multiples = multiplesOf(h);
  const y = new Int32Array(4);
  for (let offset = 0; offset < data.length; offset += BLOCK_BYTES) {
    for (let i = 0; i < 4; i += 1) {
      y[i] ^= data.readInt32BE(offset + 4 * i);
    }
    multiply(y, multiples);
  }
  const result = Buffer.alloc(BLOCK_BYTES);
  y.forEach((word, i) => result.writeInt32BE(word, 4 * i));
  return result;
}

function padding(bytes) {
  return Buffer.alloc((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES);
}

// 5.3 step 2: the counter blocks begin with IV ‖ u32(2).
function keyStream(encryptBlocks, iv, length) {
  const count = Math.ceil(length / BLOCK_BYTES);
  const counters = Buffer.alloc(count * BLOCK_BYTES);
  for (let i = 0; i < count; i += 1) {
    counters.set(iv, i * BLOCK_BYTES);
    counters.writeUInt32BE(2 + i, i * BLOCK_BYTES + IV_BYTES);
  }
  return encryptBlocks(counters).subarray(0, length);
}

function computeTag(encryptBlocks, iv, ciphertext, aad) {
  // 5.3 step 1: the hash subkey and the first counter block.
  const h = encryptBlocks(Buffer.alloc(BLOCK_BYTES));
  const j0 = concat(iv, u32(1));
  // 5.3 step 3: GHASH over associated data, ciphertext and their lengths in bits.
  const lengths = concat(u64(8 * aad.length), u64(8 * ciphertext.length));
  const s = ghash(h, concat(aad, padding(aad), ciphertext, padding(ciphertext), lengths));
  // 5.3 step 4.
  return xor(encryptBlocks(j0), s);
}

// 5.3: the counter blocks have room for 96 bits.
function checkIv(iv) {
  if (iv.length !== IV_BYTES) {
    throw new RangeError('a GCM IV has 12 bytes');
  }
}

// Gives { ciphertext, tag }.
export function gcmSeal(encryptBlocks, iv, plaintext, aad) {
  checkIv(iv);
  const ciphertext = xor(plaintext, keyStream(encryptBlocks, iv, plaintext.length));
  return { ciphertext, tag: computeTag(encryptBlocks, iv, ciphertext, aad) };
}

// Gives the plaintext, or fails with `decryption`.
export function gcmOpen(encryptBlocks, iv, ciphertext, tag, aad) {
  checkIv(iv);
  // 5.3: the whole tag is compared, in constant time, before anything is decrypted.
  if (!equalConstantTime(computeTag(encryptBlocks, iv, ciphertext, aad), tag)) {
    throw new KmsError('decryption');
  }
  return xor(ciphertext, keyStream(encryptBlocks, iv, ciphertext.length));
}
