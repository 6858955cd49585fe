// Section 2: byte strings, integers in a fixed number of bytes, hexadecimal, Base64 and UTF-8.

import { KmsError } from './errors.mjs';

const BASE64_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64_VALUES = new Map([...BASE64_ALPHABET].map((character, value) => [character, value]));

// Hexadecimal in lower case. Other text is a mistake of the caller and has no code.
export function fromHex(text) {
  if (typeof text !== 'string' || text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw new TypeError('not a byte string in lower-case hexadecimal');
  }
  return Buffer.from(text, 'hex');
}

export function toHex(bytes) {
  return Buffer.from(bytes).toString('hex');
}

// Section 2: big-endian and unsigned; an integer that does not fit is not encoded.
function unsigned(value, length) {
  const integer = BigInt(value);
  if (integer < 0n || integer >= 1n << BigInt(8 * length)) {
    throw new RangeError(`the integer does not fit into ${length} bytes`);
  }
  return Buffer.from(integer.toString(16).padStart(2 * length, '0'), 'hex');
}

export function u8(value) {
  return unsigned(value, 1);
}

export function u16(value) {
  return unsigned(value, 2);
}

export function u32(value) {
  return unsigned(value, 4);
}

export function u64(value) {
  return unsigned(value, 8);
}

export function concat(...parts) {
  return Buffer.concat(parts);
}

export function xor(left, right) {
  if (left.length !== right.length) {
    throw new RangeError('the byte strings differ in length');
  }
  const result = Buffer.alloc(left.length);
  for (let i = 0; i < left.length; i += 1) {
    result[i] = left[i] ^ right[i];
  }
  return result;
}

// Compares all bytes in any case. Only the lengths, which are public, end the comparison early.
export function equalConstantTime(left, right) {
  if (left.length !== right.length) {
    return false;
  }
  let difference = 0;
  for (let i = 0; i < left.length; i += 1) {
    difference |= left[i] ^ right[i];
  }
  return difference === 0;
}

// Orders byte strings by unsigned bytes; one that is the beginning of another comes first.
export function compareBytes(left, right) {
  const common = Math.min(left.length, right.length);
  for (let i = 0; i < common; i += 1) {
    if (left[i] !== right[i]) {
      return left[i] - right[i];
    }
  }
  return left.length - right.length;
}

// Section 2: the only encoding of the bytes is accepted. Every other text fails with `code`.
export function decodeBase64(text, code) {
  // Section 2: padded to a multiple of four characters.
  if (text.length % 4 !== 0) {
    throw new KmsError(code);
  }
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  const result = Buffer.alloc((text.length / 4) * 3 - padding);
  let bits = 0;
  let bitCount = 0;
  let length = 0;
  for (let i = 0; i < text.length - padding; i += 1) {
    const value = BASE64_VALUES.get(text[i]);
    // Section 2: the alphabet, and no other character anywhere.
    if (value === undefined) {
      throw new KmsError(code);
    }
    bits = (bits << 6) | value;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      result[length] = bits >> bitCount;
      length += 1;
      bits &= (1 << bitCount) - 1;
    }
  }
  // Section 2: the bits of the last character that carry no data are zero.
  if (bits !== 0) {
    throw new KmsError(code);
  }
  return result;
}

export function encodeBase64(bytes) {
  return Buffer.from(bytes).toString('base64');
}

// Section 4.1 step 1: a text with a lone surrogate has no encoding.
export function utf8Encode(text) {
  if (!text.isWellFormed()) {
    throw new KmsError('invalid_context');
  }
  return Buffer.from(text, 'utf8');
}

// RFC 3629 without a replacement of anything; a byte order mark is a character like any other.
export function utf8Decode(bytes, code) {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text;
  try {
    text = decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) {
      throw error;
    }
  }
  if (text === undefined) {
    throw new KmsError(code);
  }
  return text;
}
