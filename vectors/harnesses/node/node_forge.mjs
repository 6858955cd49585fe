// node-forge takes and gives byte strings: one character for each byte, as `latin1` does.

import forge from 'node-forge';

import { UNSUPPORTED, aeadOperations, bytes, decryption } from './format.mjs';

const DIGESTS = { RSAES_OAEP_SHA_256: forge.md.sha256, RSAES_OAEP_SHA_1: forge.md.sha1 };

const text = (data) => data.toString('latin1');
const buffer = (data) => forge.util.createBuffer(text(data));

const aesGcm = {
  encrypt(key, iv, associatedData, plaintext) {
    const cipher = forge.cipher.createCipher('AES-GCM', buffer(key));
    cipher.start({ iv: buffer(iv), additionalData: text(associatedData), tagLength: 128 });
    cipher.update(buffer(plaintext));
    cipher.finish();
    return Buffer.from(cipher.output.getBytes() + cipher.mode.tag.getBytes(), 'latin1');
  },
  decrypt(key, iv, associatedData, ciphertext, tag) {
    const decipher = forge.cipher.createDecipher('AES-GCM', buffer(key));
    const additionalData = text(associatedData);
    decipher.start({ iv: buffer(iv), additionalData, tagLength: 128, tag: buffer(tag) });
    decipher.update(buffer(ciphertext));
    if (!decipher.finish()) throw new Error('the library reports a failure');
    return Buffer.from(decipher.output.getBytes(), 'latin1');
  },
};

export const packageName = 'node-forge';
export const operations = {
  ...aeadOperations({ '01': aesGcm, '02': aesGcm, '03': aesGcm }),
  asymmetric_decrypt({ algorithm, private_key: privateKey, ciphertext }) {
    const digest = DIGESTS[algorithm];
    if (!digest) return UNSUPPORTED;
    const key = forge.pki.privateKeyFromAsn1(forge.asn1.fromDer(text(bytes(privateKey))));
    const scheme = { md: digest.create(), mgf1: { md: digest.create() } };
    const data = text(bytes(ciphertext));
    return decryption(() => Buffer.from(key.decrypt(data, 'RSA-OAEP', scheme), 'latin1'));
  },
};
