import { UNSUPPORTED, aeadOperations, bytes, decryption } from './format.mjs';

const { subtle } = globalThis.crypto;
const OAEP_HASHES = { RSAES_OAEP_SHA_256: 'SHA-256', RSAES_OAEP_SHA_1: 'SHA-1' };

const parameters = (iv, additionalData) => ({
  name: 'AES-GCM',
  iv,
  additionalData,
  tagLength: 128,
});
const importKey = (key, use) => subtle.importKey('raw', key, 'AES-GCM', false, [use]);

const aesGcm = {
  async encrypt(key, iv, associatedData, plaintext) {
    const encryptionKey = await importKey(key, 'encrypt');
    const scheme = parameters(iv, associatedData);
    return Buffer.from(await subtle.encrypt(scheme, encryptionKey, plaintext));
  },
  async decrypt(key, iv, associatedData, ciphertext, tag) {
    const decryptionKey = await importKey(key, 'decrypt');
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
    const scheme = { name: 'RSA-OAEP', hash };
    const key = await subtle.importKey('pkcs8', bytes(privateKey), scheme, false, ['decrypt']);
    return decryption(() => subtle.decrypt(scheme, key, bytes(ciphertext)));
  },
};
