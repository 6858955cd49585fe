// The two primitives of RSA (RFC 8017 sections 5.1.1 and 5.1.2) on integers.

import { modInverse, modPow, modulo, randomInteger } from './integers.mjs';

export function rsaPublic({ n, e }, message) {
  return modPow(message, e, n);
}

// The Chinese remainder theorem (RFC 8017 section 5.1.2 step 2b).
function privatePower({ p, q, dP, dQ, qInv }, ciphertext) {
  const m1 = modPow(ciphertext % p, dP, p);
  const m2 = modPow(ciphertext % q, dQ, q);
  const h = modulo((m1 - m2) * qInv, p);
  return m2 + q * h;
}

// A random integer with an inverse modulo n, and the inverse.
function drawBlinding(n) {
  for (;;) {
    const factor = randomInteger(1n, n - 1n);
    const inverse = modInverse(factor, n);
    if (inverse !== undefined) {
      return { factor, inverse };
    }
  }
}

// 6.2: the private operation is blinded, so that its time does not depend on the ciphertext.
export function rsaPrivate(key, ciphertext) {
  const { factor, inverse } = drawBlinding(key.n);
  const blinded = (ciphertext * rsaPublic(key, factor)) % key.n;
  return (privatePower(key, blinded) * inverse) % key.n;
}
