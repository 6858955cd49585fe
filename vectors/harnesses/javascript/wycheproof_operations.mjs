// Section 11.6: the operations of the files in the form of Project Wycheproof.
//
// The answer to every test that is not valid is `decryption`, whatever the cause.

import { fromHex, toHex } from './bytes.mjs';
import { KmsError } from './errors.mjs';
import { parsePrivateKey } from './private_keys.mjs';
import { convertSm2, sm2Decrypt } from './sm2.mjs';
import { open, seal } from './symmetric.mjs';

const XAES_256_GCM = 5;
const KEY_BYTES = 32;
const NONCE_BYTES = 24;

function withOneError(operation) {
  return (inputs) => {
    try {
      return operation(inputs);
    } catch (error) {
      throw error instanceof KmsError ? new KmsError('decryption') : error;
    }
  };
}

// 11.6: a key of 32 bytes and a nonce of 24.
function readLengths({ key, iv }) {
  const bytes = { key: fromHex(key), iv: fromHex(iv) };
  if (bytes.key.length !== KEY_BYTES) {
    throw new KmsError('decryption');
  }
  if (bytes.iv.length !== NONCE_BYTES) {
    throw new KmsError('decryption');
  }
  return bytes;
}

function xaesOpenOperation(inputs) {
  const { key, iv } = readLengths(inputs);
  const [ct, tag, aad] = [inputs.ct, inputs.tag, inputs.aad].map(fromHex);
  return { msg: toHex(open(XAES_256_GCM, key, iv, ct, tag, aad)) };
}

function xaesSealOperation(inputs) {
  const { key, iv } = readLengths(inputs);
  const { ciphertext, tag } = seal(
    XAES_256_GCM,
    key,
    iv,
    fromHex(inputs.msg),
    fromHex(inputs.aad),
  );
  return { ct: toHex(ciphertext), tag: toHex(tag) };
}

// The encoding is named, so that the first byte does not decide (7.5 step 3).
function sm2DecryptOperation({ privateKeyPkcs8, encoding, ct }) {
  const privateKey = parsePrivateKey('EC_SM2', fromHex(privateKeyPkcs8));
  return { msg: toHex(sm2Decrypt(privateKey, convertSm2(encoding, 'C1C3C2', fromHex(ct)))) };
}

export const WYCHEPROOF_OPERATIONS = {
  xaes_256_gcm_open: withOneError(xaesOpenOperation),
  xaes_256_gcm_seal: withOneError(xaesSealOperation),
  sm2_decrypt: withOneError(sm2DecryptOperation),
};
