// `crypto.privateDecrypt` of Node.js takes RSA keys only, so SM2 is not supported.

import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  getCiphers,
  privateDecrypt,
} from 'node:crypto';

import { UNSUPPORTED, aeadOperations, bytes, decryption } from './format.mjs';

const OAEP_HASHES = { RSAES_OAEP_SHA_256: 'sha256', RSAES_OAEP_SHA_1: 'sha1' };
const CIPHERS = { '01': 'aes-256-gcm', '02': 'aes-192-gcm', '03': 'aes-128-gcm', '04': 'sm4-gcm' };
const options = { authTagLength: 16 };

const suite = (cipher) => ({
  encrypt(key, iv, associatedData, plaintext) {
    const encryption = createCipheriv(cipher, key, iv, options).setAAD(associatedData);
    const ciphertext = [encryption.update(plaintext), encryption.final()];
    return Buffer.concat([...ciphertext, encryption.getAuthTag()]);
  },
  decrypt(key, iv, associatedData, ciphertext, tag) {
    const decryption = createDecipheriv(cipher, key, iv, options).setAAD(associatedData);
    decryption.setAuthTag(tag);
    return Buffer.concat([decryption.update(ciphertext), decryption.final()]);
  },
});

// Versions of OpenSSL before 3.1 have no SM4 in GCM.
const available = Object.entries(CIPHERS).filter(([, cipher]) => getCiphers().includes(cipher));
const suites = Object.fromEntries(available.map(([id, cipher]) => [id, suite(cipher)]));

export const version = `${process.version.slice(1)} (OpenSSL ${process.versions.openssl})`;
export const operations = {
  ...aeadOperations(suites),
  asymmetric_decrypt({ algorithm, private_key: privateKey, ciphertext }) {
    const oaepHash = OAEP_HASHES[algorithm];
    if (!oaepHash) return UNSUPPORTED;
    const key = createPrivateKey({ key: bytes(privateKey), format: 'der', type: 'pkcs8' });
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    return decryption(() => privateDecrypt({ key, padding, oaepHash }, bytes(ciphertext)));
  },
};
