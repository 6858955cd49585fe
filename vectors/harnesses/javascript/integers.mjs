// Integers of any size: their bytes, powers and inverses modulo another, and a test for primes.

import { randomBytes } from 'node:crypto';

const WINDOW_BITS = 5;
const SMALL_PRIMES = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n, 43n, 47n];
const MILLER_RABIN_ROUNDS = 24;

export function bytesToInteger(bytes) {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

// Section 2: an integer that does not fit is not encoded.
export function integerToBytes(integer, length) {
  const digits = integer.toString(16).padStart(2 * length, '0');
  if (integer < 0n || digits.length > 2 * length) {
    throw new RangeError(`the integer does not fit into ${length} bytes`);
  }
  return Buffer.from(digits, 'hex');
}

export function bitLength(integer) {
  return integer === 0n ? 0 : integer.toString(2).length;
}

// The remainder of 0 to modulus - 1, of negative integers too.
export function modulo(integer, modulus) {
  const remainder = integer % modulus;
  return remainder < 0n ? remainder + modulus : remainder;
}

function windowsOf(exponent) {
  return exponent.toString(2 ** WINDOW_BITS).split('').map((digit) => parseInt(digit, 32));
}

// base^exponent mod modulus, by fixed windows.
export function modPow(base, exponent, modulus) {
  const powers = [1n];
  for (let i = 1; i < 2 ** WINDOW_BITS; i += 1) {
    powers.push((powers[i - 1] * base) % modulus);
  }
  let result = 1n;
  for (const window of windowsOf(exponent)) {
    for (let i = 0; i < WINDOW_BITS; i += 1) {
      result = (result * result) % modulus;
    }
    result = (result * powers[window]) % modulus;
  }
  return result;
}

// The inverse modulo `modulus`, or undefined if there is none (extended Euclid).
export function modInverse(integer, modulus) {
  let [r0, r1] = [modulus, modulo(integer, modulus)];
  let [t0, t1] = [0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1] = [r1, r0 - quotient * r1];
    [t0, t1] = [t1, t0 - quotient * t1];
  }
  return r0 === 1n ? modulo(t0, modulus) : undefined;
}

export function greatestCommonDivisor(left, right) {
  let [a, b] = [left, right];
  while (b !== 0n) {
    [a, b] = [b, a % b];
  }
  return a;
}

// Uniform in low to high, both included.
export function randomInteger(low, high) {
  const range = high - low + 1n;
  const bits = bitLength(range - 1n);
  const length = Math.ceil(bits / 8);
  for (;;) {
    const candidate = bytesToInteger(randomBytes(length)) >> BigInt(8 * length - bits);
    if (candidate < range) {
      return low + candidate;
    }
  }
}

// One round of Miller and Rabin for an odd candidate - 1 = odd · 2^twos and a random base.
function isProbablePrime(candidate, odd, twos) {
  let power = modPow(randomInteger(2n, candidate - 2n), odd, candidate);
  if (power === 1n || power === candidate - 1n) {
    return true;
  }
  for (let i = 1; i < twos; i += 1) {
    power = (power * power) % candidate;
    if (power === candidate - 1n) {
      return true;
    }
  }
  return false;
}

// Takes a composite number, of any choice, for a prime with a probability of at most 2^-48.
export function isPrime(candidate) {
  if (candidate < 2n) {
    return false;
  }
  if (SMALL_PRIMES.includes(candidate)) {
    return true;
  }
  if (SMALL_PRIMES.some((prime) => candidate % prime === 0n)) {
    return false;
  }
  let odd = candidate - 1n;
  let twos = 0;
  while (odd % 2n === 0n) {
    odd /= 2n;
    twos += 1;
  }
  for (let round = 0; round < MILLER_RABIN_ROUNDS; round += 1) {
    if (!isProbablePrime(candidate, odd, twos)) {
      return false;
    }
  }
  return true;
}
