// Section 5.4: XAES-256-GCM (C2SP) derives a key of AES-256-GCM from a key and half of a nonce.

import { aesBlockCipher } from './aes.mjs';
import { concat, xor } from './bytes.mjs';

const BLOCK_BYTES = 16;
const HALF_NONCE_BYTES = 12;

// 5.4 step 2: a shift by one bit; a mask in place of a branch on the bit that is shifted out.
function doubled(l) {
  const result = Buffer.alloc(BLOCK_BYTES);
  for (let i = 0; i < BLOCK_BYTES; i += 1) {
    const carry = i + 1 < BLOCK_BYTES ? l[i + 1] >>> 7 : 0;
    result[i] = (l[i] << 1) | carry;
  }
  result[BLOCK_BYTES - 1] ^= -(l[0] >>> 7) & 0x87;
  return result;
}

// Gives the key and the IV of section 5.3 for a key of 32 bytes and a nonce of 24.
export function deriveXaes(key, nonce) {
  const encryptBlocks = aesBlockCipher(key);
  const half = nonce.subarray(0, HALF_NONCE_BYTES);
  // 5.4 step 1.
  const l = encryptBlocks(Buffer.alloc(BLOCK_BYTES));
  // 5.4 step 2.
  const k1 = doubled(l);
  // 5.4 step 3.
  const m1 = concat(Buffer.from([0, 1, 0x58, 0]), half);
  const m2 = concat(Buffer.from([0, 2, 0x58, 0]), half);
  // 5.4 step 4.
  const derivedKey = concat(encryptBlocks(xor(m1, k1)), encryptBlocks(xor(m2, k1)));
  // 5.4 step 5.
  return { key: derivedKey, iv: nonce.subarray(HALF_NONCE_BYTES) };
}
