// Strict DER (X.690 sections 8 and 10), as far as keys and SM2 ciphertexts need it.

import { concat, u8 } from './bytes.mjs';
import { KmsError } from './errors.mjs';
import { bytesToInteger } from './integers.mjs';

export const TAGS = Object.freeze({
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OBJECT_IDENTIFIER: 0x06,
  SEQUENCE: 0x30,
  CONTEXT_0: 0xa0,
  CONTEXT_1: 0xa1,
});

const MAX_LENGTH_OCTETS = 4;

class DerReader {
  // Reads elements from the beginning of `bytes`. Every failure is a KmsError with `code`.
  constructor(bytes, code) {
    this.bytes = bytes;
    this.offset = 0;
    this.code = code;
  }

  fail() {
    throw new KmsError(this.code);
  }

  nextByte() {
    // An element is missing or cut short.
    if (this.offset >= this.bytes.length) {
      this.fail();
    }
    this.offset += 1;
    return this.bytes[this.offset - 1];
  }

  hasNext(tag) {
    return this.bytes[this.offset] === tag;
  }

  // Gives the content of the next element, which has to have this tag.
  readElement(tag) {
    // Another tag; a constructed OCTET STRING (24) is one.
    if (this.nextByte() !== tag) {
      this.fail();
    }
    const length = this.readLength();
    // A length that ends behind its surroundings.
    if (length > this.bytes.length - this.offset) {
      this.fail();
    }
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  readLength() {
    const first = this.nextByte();
    if (first < 0x80) {
      return first;
    }
    const count = first - 0x80;
    // An indefinite length.
    if (count === 0) {
      this.fail();
    }
    // More octets than any length here takes.
    if (count > MAX_LENGTH_OCTETS) {
      this.fail();
    }
    let length = 0;
    for (let i = 0; i < count; i += 1) {
      length = length * 256 + this.nextByte();
    }
    // A length that is not in its shortest form.
    if (length < 0x80 || length < 256 ** (count - 1)) {
      this.fail();
    }
    return length;
  }

  // Gives a BigInt, which may be negative.
  readInteger() {
    const content = this.readElement(TAGS.INTEGER);
    // An INTEGER of no byte.
    if (content.length === 0) {
      this.fail();
    }
    // More leading bytes `00` than the sign needs.
    if (content.length > 1 && content[0] === 0x00 && content[1] < 0x80) {
      this.fail();
    }
    // More leading bytes `FF` than the sign needs.
    if (content.length > 1 && content[0] === 0xff && content[1] >= 0x80) {
      this.fail();
    }
    const integer = bytesToInteger(content);
    return content[0] < 0x80 ? integer : integer - (1n << BigInt(8 * content.length));
  }

  readOctetString() {
    return this.readElement(TAGS.OCTET_STRING);
  }

  // Gives the bytes of a BIT STRING of whole bytes.
  readBitString() {
    const content = this.readElement(TAGS.BIT_STRING);
    // The number of unused bits is missing.
    if (content.length === 0) {
      this.fail();
    }
    // Keys have whole bytes.
    if (content[0] !== 0) {
      this.fail();
    }
    return content.subarray(1);
  }

  readNull() {
    // NULL has no content.
    if (this.readElement(TAGS.NULL).length !== 0) {
      this.fail();
    }
  }

  // Gives a reader of the content of a constructed element.
  enter(tag) {
    return new DerReader(this.readElement(tag), this.code);
  }

  // Nothing follows: no further element, and a length that ends where its content does.
  end() {
    if (this.offset !== this.bytes.length) {
      this.fail();
    }
  }
}

// Gives a reader of the one SEQUENCE that `bytes` has to be.
export function readSequence(bytes, code) {
  const reader = new DerReader(bytes, code);
  const sequence = reader.enter(TAGS.SEQUENCE);
  reader.end();
  return sequence;
}

function encodeLength(length) {
  if (length < 0x80) {
    return u8(length);
  }
  const hex = length.toString(16);
  const octets = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return concat(u8(0x80 + octets.length), octets);
}

export function encodeElement(tag, content) {
  return concat(u8(tag), encodeLength(content.length), content);
}

// Encodes an integer of 0 or more, with a leading zero byte where the sign needs it.
export function encodeInteger(integer) {
  const hex = integer.toString(16);
  const octets = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const sign = Buffer.alloc(octets[0] >>> 7);
  return encodeElement(TAGS.INTEGER, concat(sign, octets));
}
