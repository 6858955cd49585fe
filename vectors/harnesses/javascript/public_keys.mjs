// Sections 6, 7.1 and 11.3: public keys, SubjectPublicKeyInfo (RFC 5480) in DER.

import { readSequence, TAGS } from './der.mjs';
import { KmsError } from './errors.mjs';
import { bitLength } from './integers.mjs';
import { decodePoint } from './sm2_curve.mjs';
import { RSA_KEY_SPECS, SM2_KEY_SPEC } from './suites.mjs';

const INVALID = 'invalid_key';
const MIN_EXPONENT = 3n;
const MAX_EXPONENT = 2n ** 32n;

export const OBJECT_IDENTIFIERS = Object.freeze({
  RSA_ENCRYPTION: '2a864886f70d010101',
  EC_PUBLIC_KEY: '2a8648ce3d0201',
  SM2_CURVE: '2a811ccf5501822d',
});

// Gives the content of the next element, an OBJECT IDENTIFIER, in hexadecimal.
export function readObjectIdentifier(reader) {
  return Buffer.from(reader.readElement(TAGS.OBJECT_IDENTIFIER)).toString('hex');
}

// Reads the parameters of an AlgorithmIdentifier and gives the kind of key, `RSA` or `SM2`.
function readParameters(algorithm, identifier) {
  if (identifier === OBJECT_IDENTIFIERS.RSA_ENCRYPTION) {
    // 11.3: rsaEncryption has NULL parameters.
    algorithm.readNull();
    return 'RSA';
  }
  // 11.3: another algorithm.
  if (identifier !== OBJECT_IDENTIFIERS.EC_PUBLIC_KEY) {
    throw new KmsError(INVALID);
  }
  // 7.1: the curve is named, and it is this one.
  if (readObjectIdentifier(algorithm) !== OBJECT_IDENTIFIERS.SM2_CURVE) {
    throw new KmsError(INVALID);
  }
  return 'SM2';
}

// Reads an AlgorithmIdentifier and gives the kind of key, `RSA` or `SM2`.
export function readAlgorithm(reader) {
  const algorithm = reader.enter(TAGS.SEQUENCE);
  const kind = readParameters(algorithm, readObjectIdentifier(algorithm));
  // 7.1: nothing follows the parameters.
  algorithm.end();
  return kind;
}

// Gives the key spec of a modulus, after the checks of section 6.
export function rsaKeySpec(n, e) {
  const bits = bitLength(n);
  const found = [...RSA_KEY_SPECS].find(([, { modulusBits }]) => modulusBits === bits);
  // 6: the modulus has exactly the bits of a key spec.
  if (n < 0n || found === undefined) {
    throw new KmsError(INVALID);
  }
  // 6: the modulus is odd.
  if (n % 2n === 0n) {
    throw new KmsError(INVALID);
  }
  // 6: e is odd.
  if (e % 2n === 0n) {
    throw new KmsError(INVALID);
  }
  // 6: e is 3 to 2^32 - 1.
  if (e < MIN_EXPONENT || e > MAX_EXPONENT) {
    throw new KmsError(INVALID);
  }
  return found[0];
}

function readRsaPublicKey(bytes) {
  const sequence = readSequence(bytes, INVALID);
  const n = sequence.readInteger();
  const e = sequence.readInteger();
  // 7.1: an RSAPublicKey has two numbers.
  sequence.end();
  return { keySpec: rsaKeySpec(n, e), n, e };
}

function readSm2PublicKey(bytes) {
  const point = decodePoint(bytes);
  // 11.3: a valid point of 65 bytes that begins with `04`.
  if (point === undefined) {
    throw new KmsError(INVALID);
  }
  return { keySpec: SM2_KEY_SPEC, point };
}

// Gives { keySpec, n, e } or { keySpec: 'EC_SM2', point }, or fails with `invalid_key`.
export function parsePublicKey(der) {
  // 11.3: a SubjectPublicKeyInfo in DER with nothing behind it.
  const info = readSequence(der, INVALID);
  const kind = readAlgorithm(info);
  const bytes = info.readBitString();
  // 7.1: a SubjectPublicKeyInfo has two elements.
  info.end();
  return kind === 'RSA' ? readRsaPublicKey(bytes) : readSm2PublicKey(bytes);
}
