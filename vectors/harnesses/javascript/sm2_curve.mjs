// Section 7.1: the curve sm2p256v1 and its points, in Jacobian coordinates over BigInt.
//
// A point is { x, y } in affine coordinates. The point at infinity is undefined; it is a result of
// arithmetic only and has no encoding.

import { concat } from './bytes.mjs';
import { bytesToInteger, integerToBytes, modInverse, modulo, randomInteger } from './integers.mjs';

export const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
export const A = 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn;
export const B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
export const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
export const G = Object.freeze({
  x: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  y: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
});

export const COORDINATE_BYTES = 32;

const UNCOMPRESSED = 0x04;
const POINT_BYTES = 1 + 2 * COORDINATE_BYTES;
const WINDOW_BITS = 4;
const BLINDING_LIMIT = 1n << 64n;
const INFINITY = Object.freeze({ x: 1n, y: 1n, z: 0n });

// Section 7.1: a point is valid if its coordinates are in range and the equation holds. An integer
// of any size is compared as it is and never reduced before.
export function isValidPoint({ x, y }) {
  // 7.1: 0 <= x < p.
  if (x < 0n || x >= P) {
    return false;
  }
  // 7.1: 0 <= y < p.
  if (y < 0n || y >= P) {
    return false;
  }
  // 7.1: the equation; the cofactor is 1, so that nothing else has to be checked.
  return modulo(y * y - (x * x * x + A * x + B), P) === 0n;
}

// The doubling formula for a = p - 3; it gives infinity for infinity.
function double({ x, y, z }) {
  const delta = (z * z) % P;
  const gamma = (y * y) % P;
  const beta = (x * gamma) % P;
  const alpha = (3n * (x - delta) * (x + delta)) % P;
  const x3 = modulo(alpha * alpha - 8n * beta, P);
  const y3 = modulo(alpha * (4n * beta - x3) - 8n * gamma * gamma, P);
  return { x: x3, y: y3, z: (2n * y * z) % P };
}

function add(left, right) {
  if (left.z === 0n) {
    return right;
  }
  if (right.z === 0n) {
    return left;
  }
  const z1z1 = (left.z * left.z) % P;
  const z2z2 = (right.z * right.z) % P;
  const u1 = (left.x * z2z2) % P;
  const s1 = (left.y * z2z2 * right.z) % P;
  const h = modulo(right.x * z1z1 - u1, P);
  const r = modulo(right.y * z1z1 * left.z - s1, P);
  if (h === 0n) {
    return r === 0n ? double(left) : INFINITY;
  }
  const hh = (h * h) % P;
  const hhh = (h * hh) % P;
  const v = (u1 * hh) % P;
  const x3 = modulo(r * r - hhh - 2n * v, P);
  const y3 = modulo(r * (v - x3) - s1 * hhh, P);
  return { x: x3, y: y3, z: (((left.z * right.z) % P) * h) % P };
}

function toAffine({ x, y, z }) {
  if (z === 0n) {
    return undefined;
  }
  const inverse = modInverse(z, P);
  const square = (inverse * inverse) % P;
  return { x: (x * square) % P, y: (((y * square) % P) * inverse) % P };
}

// Jacobian coordinates with a random z, so that the intermediate values are not foreseeable.
function toRandomJacobian({ x, y }) {
  const z = randomInteger(1n, P - 1n);
  const square = (z * z) % P;
  return { x: (x * square) % P, y: (((y * square) % P) * z) % P, z };
}

// [scalar]point for a scalar of 0 or more. The scalar is blinded by a random multiple of n and the
// coordinates are random (sections 7.4 and 7.5 step 5).
export function multiplyPoint(scalar, point) {
  const blinded = scalar + N * randomInteger(1n, BLINDING_LIMIT);
  const multiples = [INFINITY, toRandomJacobian(point)];
  for (let i = 2; i < 2 ** WINDOW_BITS; i += 1) {
    multiples.push(add(multiples[i - 1], multiples[1]));
  }
  let result = INFINITY;
  for (const digit of blinded.toString(2 ** WINDOW_BITS)) {
    for (let i = 0; i < WINDOW_BITS; i += 1) {
      result = double(result);
    }
    result = add(result, multiples[parseInt(digit, 16)]);
  }
  return toAffine(result);
}

// Section 7.1: a coordinate has 32 bytes, leading zeros included.
export function encodeCoordinate(coordinate) {
  return integerToBytes(coordinate, COORDINATE_BYTES);
}

export function encodePoint({ x, y }) {
  return concat(Buffer.from([UNCOMPRESSED]), encodeCoordinate(x), encodeCoordinate(y));
}

// Gives the valid point of 65 bytes that begins with `04` (section 11.3), else undefined.
export function decodePoint(bytes) {
  // 11.3: a public point has 65 bytes.
  if (bytes.length !== POINT_BYTES) {
    return undefined;
  }
  // 11.3: a public point begins with `04`.
  if (bytes[0] !== UNCOMPRESSED) {
    return undefined;
  }
  const point = {
    x: bytesToInteger(bytes.subarray(1, 1 + COORDINATE_BYTES)),
    y: bytesToInteger(bytes.subarray(1 + COORDINATE_BYTES)),
  };
  // 11.3: a public point is valid.
  return isValidPoint(point) ? point : undefined;
}
