import { UNSUPPORTED, aeadOperations, bytes, decryption } from './format.mjs';

const { subtle } = globalThis.crypto;
const OAEP_HASHES = { RSAES_OAEP_SHA_256: 'SHA-256', RSAES_OAEP_SHA_1: 'SHA-1' };

const parameters = (iv, additionalData) => ({ name: 'AES-GCM', iv, additionalData, tagLength: 128 });

const aesGcm = {
  async encrypt(key, iv, associatedData, plaintext) {
    const encryptionKey = await subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
    return Buffer.from(await subtle.encrypt(parameters(iv, associatedData), encryptionKey, plaintext));
  },
  async decrypt(key, iv, associatedData, ciphertext, tag) {
    const decryptionKey = await subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
    const data = Buffer.concat([ciphertext, tag]);
    return subtle.decrypt(parameters(iv, associatedData), decryptionKey, data);
  },
};

export const version = `Node.js ${process.version.slice(1)} (OpenSSL ${process.versions.openssl})`;
export const operations = {
  ...aeadOperations({ '01': aesGcm, '02': aesGcm, '03': aesGcm }),
  async asymmetric_decrypt({ algorithm, private_key: privateKey, ciphertext }) {
    const hash = OAEP_HASHES[algorithm];
    if (!hash) return UNSUPPORTED;
    const name = 'RSA-OAEP';
    const key = await subtle.importKey('pkcs8', bytes(privateKey), { name, hash }, false, ['decrypt']);
    return decryption(() => subtle.decrypt({ name }, key, bytes(ciphertext)));
  },
};
