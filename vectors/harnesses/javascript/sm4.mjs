// SM4 (GB/T 32907-2016) as a block cipher: a function that encrypts a whole number of blocks.

const ROUNDS = 32;
const BLOCK_BYTES = 16;
const KEY_BYTES = 16;
const FK = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc];
const S_BOX = Buffer.from(
  'd690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699' +
    '9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6' +
    '4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35' +
    '1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e' +
    'eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3' +
    '1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51' +
    '8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0' +
    '8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948',
  'hex',
);

function rotateLeft(word, count) {
  return (word << count) | (word >>> (32 - count));
}

// The constant CK of a round: its byte j is 7 · (4 · round + j) modulo 256.
function roundConstant(round) {
  let word = 0;
  for (let j = 0; j < 4; j += 1) {
    word = (word << 8) | ((7 * (4 * round + j)) & 0xff);
  }
  return word;
}

function substitute(word) {
  return (
    (S_BOX[word >>> 24] << 24) |
    (S_BOX[(word >>> 16) & 0xff] << 16) |
    (S_BOX[(word >>> 8) & 0xff] << 8) |
    S_BOX[word & 0xff]
  );
}

// T of the rounds: the substitution and then the linear function L.
function mixData(word) {
  const b = substitute(word);
  return b ^ rotateLeft(b, 2) ^ rotateLeft(b, 10) ^ rotateLeft(b, 18) ^ rotateLeft(b, 24);
}

// T' of the key schedule: the substitution and then the linear function L'.
function mixKey(word) {
  const b = substitute(word);
  return b ^ rotateLeft(b, 13) ^ rotateLeft(b, 23);
}

function expandKey(key) {
  if (key.length !== KEY_BYTES) {
    throw new RangeError('an SM4 key has 16 bytes');
  }
  const k = FK.map((word, i) => word ^ key.readInt32BE(4 * i));
  const roundKeys = new Int32Array(ROUNDS);
  for (let i = 0; i < ROUNDS; i += 1) {
    k[i % 4] ^= mixKey(k[(i + 1) % 4] ^ k[(i + 2) % 4] ^ k[(i + 3) % 4] ^ roundConstant(i));
    roundKeys[i] = k[i % 4];
  }
  return roundKeys;
}

function encryptBlock(roundKeys, input, output, offset) {
  const x = new Int32Array(4);
  for (let i = 0; i < 4; i += 1) {
    x[i] = input.readInt32BE(offset + 4 * i);
  }
  for (let i = 0; i < ROUNDS; i += 1) {
    x[i & 3] ^= mixData(x[(i + 1) & 3] ^ x[(i + 2) & 3] ^ x[(i + 3) & 3] ^ roundKeys[i]);
  }
  // The words leave in reverse order.
  for (let i = 0; i < 4; i += 1) {
    output.writeInt32BE(x[3 - i], offset + 4 * i);
  }
}

export function sm4BlockCipher(key) {
  const roundKeys = expandKey(Buffer.from(key));
  return (blocks) => {
    const output = Buffer.alloc(blocks.length);
    for (let offset = 0; offset < blocks.length; offset += BLOCK_BYTES) {
      encryptBlock(roundKeys, blocks, output, offset);
    }
    return output;
  };
}
