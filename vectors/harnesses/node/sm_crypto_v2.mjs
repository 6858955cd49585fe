import smCryptoV2 from 'sm-crypto-v2';

import { aeadOperations } from './format.mjs';
import { sm2Operations } from './sm2.mjs';

const { sm2, sm4 } = smCryptoV2;

const sm4Gcm = {
  encrypt(key, iv, associatedData, plaintext) {
    const options = { mode: 'gcm', iv, associatedData, output: 'array', outputTag: true };
    const { output, tag } = sm4.encrypt(plaintext, key, options);
    return Buffer.concat([output, tag]);
  },
  decrypt: (key, iv, associatedData, ciphertext, tag) =>
    sm4.decrypt(ciphertext, key, { mode: 'gcm', iv, associatedData, tag, output: 'array' }),
};

export const packageName = 'sm-crypto-v2';
export const operations = {
  ...aeadOperations({ '04': sm4Gcm }),
  ...sm2Operations(sm2, { der: true }),
};
