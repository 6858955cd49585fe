// `asymmetric_decrypt` for the two libraries with the interface of sm-crypto.

import { UNSUPPORTED, decryption } from './format.mjs';

const C1C3C2 = 1;

// They take C1C3C2 without its first byte, and report most failures by an empty array.
export const sm2Operations = (sm2, { der }) => ({
  asymmetric_decrypt({ algorithm, ciphertext, d }) {
    if (algorithm !== 'SM2PKE') return UNSUPPORTED;
    const form = ciphertext.slice(0, 2);
    if (form === '04') return decrypt(sm2, ciphertext.slice(2), d, { output: 'array' });
    if (form === '30' && der) return decrypt(sm2, ciphertext, d, { output: 'array', asn1: true });
    return UNSUPPORTED;
  },
});

const decrypt = (sm2, ciphertext, d, options) =>
  decryption(() => {
    const plaintext = sm2.doDecrypt(ciphertext, d, C1C3C2, options);
    if (!plaintext.length) throw new Error('the library reports a failure');
    return plaintext;
  });
