// SM2 decryption for the two libraries with the interface of sm-crypto.

import { UNSUPPORTED, decryption } from './format.mjs';

const MODES = { C1C2C3: 0, C1C3C2: 1, ASN1_DER: 1 };
const SCALAR = [72, 136]; // the place of d in the PKCS#8 of the vectors, in hexadecimal digits

export const sm2Operations = (sm2, { der }) => {
  // They take C1 without its first byte `04`, and report most failures by an empty array.
  function decrypt(d, encoding, ciphertext, output) {
    const asn1 = encoding === 'ASN1_DER';
    if (asn1 ? !der : !ciphertext.startsWith('04')) return UNSUPPORTED;
    const data = asn1 ? ciphertext : ciphertext.slice(2);
    return decryption(() => {
      const plaintext = sm2.doDecrypt(data, d, MODES[encoding], { output: 'array', asn1 });
      if (!plaintext.length) throw new Error('the library reports a failure');
      return plaintext;
    }, output);
  }

  return {
    asymmetric_decrypt({ algorithm, ciphertext, d }) {
      if (algorithm !== 'SM2PKE') return UNSUPPORTED;
      const encoding = ciphertext.startsWith('30') ? 'ASN1_DER' : 'C1C3C2';
      return decrypt(d, encoding, ciphertext, 'plaintext');
    },
    sm2_decrypt: ({ privateKeyPkcs8, encoding, ct }) =>
      decrypt(privateKeyPkcs8.slice(...SCALAR), encoding, ct, 'msg'),
  };
};
