// AES (FIPS 197) as a block cipher: a function that encrypts a whole number of blocks.

import { createCipheriv } from 'node:crypto';

export function aesBlockCipher(key) {
  const cipher = createCipheriv(`aes-${8 * key.length}-ecb`, key, null);
  cipher.setAutoPadding(false);
  return (blocks) => cipher.update(blocks);
}
