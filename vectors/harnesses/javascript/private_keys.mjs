// Sections 6, 7.1 and 11.3: private keys, PKCS#8 (RFC 5208) in DER. Every fault is `invalid_key`.

import { compareBytes } from './bytes.mjs';
import { encodeElement, readSequence, TAGS } from './der.mjs';
import { KmsError } from './errors.mjs';
import {
  bitLength, bytesToInteger, greatestCommonDivisor, isPrime, modInverse,
} from './integers.mjs';
import {
  OBJECT_IDENTIFIERS, readAlgorithm, readObjectIdentifier, rsaKeySpec,
} from './public_keys.mjs';
import { decodePoint, G, multiplyPoint, N } from './sm2_curve.mjs';
import { SM2_KEY_SPEC } from './suites.mjs';

const INVALID = 'invalid_key';
const MAX_PRIME_BITS = 2048;
const SM2_SCALAR_BYTES = 32;
const MAX_CACHED_KEYS = 64;

function fail() {
  throw new KmsError(INVALID);
}

// 11.3: a prime has at most 2,048 bits, which bounds the time of the test for primes too.
function checkPrimeSize(prime) {
  if (prime < 2n || bitLength(prime) > MAX_PRIME_BITS) {
    fail();
  }
}

// 11.3: d is 1/e modulo λ(n) or φ(n), reduced.
function checkPrivateExponent({ e, d, p, q }) {
  const phi = (p - 1n) * (q - 1n);
  const lambda = phi / greatestCommonDivisor(p - 1n, q - 1n);
  if (d !== modInverse(e, lambda) && d !== modInverse(e, phi)) {
    fail();
  }
}

// 11.3: the numbers of an RSAPrivateKey belong together.
function checkRsaNumbers(key) {
  const { n, d, p, q, dP, dQ, qInv } = key;
  checkPrimeSize(p);
  checkPrimeSize(q);
  // RFC 8017 section 3.2: the modulus is the product of the primes.
  if (n !== p * q) {
    fail();
  }
  checkPrivateExponent(key);
  // RFC 8017 section 3.2: the exponents of the two primes.
  if (dP !== d % (p - 1n)) {
    fail();
  }
  if (dQ !== d % (q - 1n)) {
    fail();
  }
  // RFC 8017 section 3.2: the coefficient.
  if (qInv !== modInverse(q, p)) {
    fail();
  }
  // 11.3: two primes; last, because this takes the longest.
  if (!isPrime(p) || !isPrime(q)) {
    fail();
  }
}

function readRsaPrivateKey(bytes) {
  const sequence = readSequence(bytes, INVALID);
  // 11.3: version 0, which is that of two primes.
  if (sequence.readInteger() !== 0n) {
    fail();
  }
  const [n, e, d, p, q, dP, dQ, qInv] = Array.from({ length: 8 }, () => sequence.readInteger());
  // 7.1: nothing follows the numbers.
  sequence.end();
  // 6: modulus and exponent.
  const keySpec = rsaKeySpec(n, e);
  const key = { keySpec, n, e, d, p, q, dP, dQ, qInv };
  checkRsaNumbers(key);
  return key;
}

function readScalar(bytes) {
  // 11.3: a scalar has 32 bytes.
  if (bytes.length !== SM2_SCALAR_BYTES) {
    fail();
  }
  const d = bytesToInteger(bytes);
  // 11.3: it is 1 to n - 2.
  if (d < 1n || d > N - 2n) {
    fail();
  }
  return d;
}

// RFC 5915: the parameters of an ECPrivateKey are optional; 11.3: another curve is a fault.
function readCurve(sequence) {
  const parameters = sequence.enter(TAGS.CONTEXT_0);
  if (readObjectIdentifier(parameters) !== OBJECT_IDENTIFIERS.SM2_CURVE) {
    fail();
  }
  parameters.end();
}

// RFC 5915: the public point of an ECPrivateKey is optional.
function readPublicPoint(sequence, expected) {
  const element = sequence.enter(TAGS.CONTEXT_1);
  const point = decodePoint(element.readBitString());
  element.end();
  // 11.3: 65 bytes that begin with `04`, and a valid point.
  if (point === undefined) {
    fail();
  }
  // 11.3: it is [d]G.
  if (point.x !== expected.x || point.y !== expected.y) {
    fail();
  }
}

function readSm2PrivateKey(bytes) {
  const sequence = readSequence(bytes, INVALID);
  // 11.3: version 1.
  if (sequence.readInteger() !== 1n) {
    fail();
  }
  const d = readScalar(sequence.readOctetString());
  const point = multiplyPoint(d, G);
  if (sequence.hasNext(TAGS.CONTEXT_0)) {
    readCurve(sequence);
  }
  if (sequence.hasNext(TAGS.CONTEXT_1)) {
    readPublicPoint(sequence, point);
  }
  // 7.1: nothing follows.
  sequence.end();
  return { keySpec: SM2_KEY_SPEC, d, point };
}

// 11.3: attributes may be there, each a SEQUENCE, and their content is not examined.
function readAttributes(info) {
  const attributes = info.enter(TAGS.CONTEXT_0);
  let last = Buffer.alloc(0);
  while (attributes.hasNext(TAGS.SEQUENCE)) {
    const attribute = encodeElement(TAGS.SEQUENCE, attributes.readElement(TAGS.SEQUENCE));
    // 11.3: the order of a SET OF in DER.
    if (compareBytes(last, attribute) > 0) {
      fail();
    }
    last = attribute;
  }
  // 11.3: each is a SEQUENCE.
  attributes.end();
}

function readPrivateKey(der) {
  // 11.3: exactly one PKCS#8, and nothing behind it.
  const info = readSequence(der, INVALID);
  // 11.3: version 0.
  if (info.readInteger() !== 0n) {
    fail();
  }
  const kind = readAlgorithm(info);
  const bytes = info.readOctetString();
  if (info.hasNext(TAGS.CONTEXT_0)) {
    readAttributes(info);
  }
  // 11.3: exactly one PKCS#8.
  info.end();
  return kind === 'RSA' ? readRsaPrivateKey(bytes) : readSm2PrivateKey(bytes);
}

const cachedKeys = new Map();

// Parses a key once, because the tests for primes take long. Keys that fail are not kept.
function readPrivateKeyOnce(der) {
  const name = Buffer.from(der).toString('hex');
  if (!cachedKeys.has(name)) {
    const key = readPrivateKey(der);
    if (cachedKeys.size >= MAX_CACHED_KEYS) {
      cachedKeys.clear();
    }
    cachedKeys.set(name, Object.freeze(key));
  }
  return cachedKeys.get(name);
}

// Gives { keySpec, n, e, d, p, q, dP, dQ, qInv } or { keySpec: 'EC_SM2', d, point }, or fails with
// `invalid_key`.
export function parsePrivateKey(keySpec, der) {
  const key = readPrivateKeyOnce(der);
  // 11.3: a private key is one of its kind, and section 6: with the modulus of its key spec.
  if (key.keySpec !== keySpec) {
    fail();
  }
  return key;
}
