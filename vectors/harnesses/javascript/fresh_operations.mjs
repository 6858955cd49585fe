// Section 11.7: operations that draw their random values as in ordinary use.

import { randomBytes } from 'node:crypto';

import { asymmetricEncrypt } from './asymmetric.mjs';
import { fromHex, toHex } from './bytes.mjs';
import { encryptOperation, reencryptOperation } from './operations.mjs';
import { parsePublicKey } from './public_keys.mjs';

function encryptUnder({ public_key, plaintext }, algorithm) {
  const publicKey = parsePublicKey(fromHex(public_key));
  return { ciphertext: toHex(asymmetricEncrypt(algorithm, publicKey, fromHex(plaintext))) };
}

export const FRESH_OPERATIONS = {
  fresh_encrypt: (inputs) => encryptOperation(inputs, randomBytes),
  fresh_reencrypt: (inputs) => reencryptOperation(inputs, randomBytes),
  fresh_sm2_encrypt: (inputs) => encryptUnder(inputs, 'SM2PKE'),
  fresh_oaep_encrypt: (inputs) => encryptUnder(inputs, inputs.algorithm),
};
