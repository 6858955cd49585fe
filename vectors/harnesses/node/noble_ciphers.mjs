import { gcm } from '@noble/ciphers/aes.js';

import { aeadOperations } from './format.mjs';

const aesGcm = {
  encrypt: (key, iv, associatedData, plaintext) => gcm(key, iv, associatedData).encrypt(plaintext),
  decrypt: (key, iv, associatedData, ciphertext, tag) =>
    gcm(key, iv, associatedData).decrypt(Buffer.concat([ciphertext, tag])),
};

export const packageName = '@noble/ciphers';
export const operations = aeadOperations({ '01': aesGcm, '02': aesGcm, '03': aesGcm });
