// SM3 (GB/T 32905-2016): a hash of 32 bytes.

import { concat, u64 } from './bytes.mjs';

const BLOCK_BYTES = 64;
const ROUNDS = 64;
const INITIAL = [
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
];

function rotateLeft(word, count) {
  return (word << count) | (word >>> (32 - count));
}

function p0(word) {
  return word ^ rotateLeft(word, 9) ^ rotateLeft(word, 17);
}

function p1(word) {
  return word ^ rotateLeft(word, 15) ^ rotateLeft(word, 23);
}

// FF and GG are the XOR in the first 16 rounds, then majority and choice.
function ff(round, x, y, z) {
  return round < 16 ? x ^ y ^ z : (x & y) | (x & z) | (y & z);
}

function gg(round, x, y, z) {
  return round < 16 ? x ^ y ^ z : (x & y) | (~x & z);
}

// The round constant T, rotated by the number of the round modulo 32.
function roundConstant(round) {
  return rotateLeft(round < 16 ? 0x79cc4519 : 0x7a879d8a, round % 32);
}

const ROUND_CONSTANTS = Int32Array.from({ length: ROUNDS }, (_, round) => roundConstant(round));

function expandBlock(message, offset) {
  const w = new Int32Array(ROUNDS + 4);
  for (let i = 0; i < 16; i += 1) {
    w[i] = message.readInt32BE(offset + 4 * i);
  }
  for (let i = 16; i < ROUNDS + 4; i += 1) {
    const mixed = p1(w[i - 16] ^ w[i - 9] ^ rotateLeft(w[i - 3], 15));
    w[i] = mixed ^ rotateLeft(w[i - 13], 7) ^ w[i - 6];
  }
  return w;
}

function compress(state, message, offset) {
  const w = expandBlock(message, offset);
  let [a, b, c, d, e, f, g, h] = state;
  for (let j = 0; j < ROUNDS; j += 1) {
    const ss1 = rotateLeft((rotateLeft(a, 12) + e + ROUND_CONSTANTS[j]) | 0, 7);
    const ss2 = ss1 ^ rotateLeft(a, 12);
    const tt1 = (ff(j, a, b, c) + d + ss2 + (w[j] ^ w[j + 4])) | 0;
    const tt2 = (gg(j, e, f, g) + h + ss1 + w[j]) | 0;
    d = c;
    c = rotateLeft(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = rotateLeft(f, 19);
    f = e;
    e = p0(tt2);
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] ^= word;
  });
}

// The message, `80`, zeros up to 8 bytes short of a whole block, and the length in bits.
function pad(message) {
  const zeros = (2 * BLOCK_BYTES - 9 - (message.length % BLOCK_BYTES)) % BLOCK_BYTES;
  return concat(message, Buffer.from([0x80]), Buffer.alloc(zeros), u64(8 * message.length));
}

export function sm3(message) {
  const padded = pad(message);
  const state = Int32Array.from(INITIAL);
  for (let offset = 0; offset < padded.length; offset += BLOCK_BYTES) {
    compress(state, padded, offset);
  }
  const digest = Buffer.alloc(32);
  state.forEach((word, i) => digest.writeInt32BE(word, 4 * i));
  return digest;
}
