// Section 4.2 steps 2 to 7: a reader for one JSON object whose values are all strings.
//
// Nothing nests in such an object, so the reader has no recursion and cannot run out of stack.

import { KmsError } from './errors.mjs';

const WHITE_SPACE = new Set([' ', '\t', '\n', '\r']);
const SHORT_ESCAPES = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function isHighSurrogate(unit) {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit) {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

export class JsonReader {
  // Reads `text` by characters (code points). Every failure is a KmsError with `code`.
  constructor(text, code) {
    this.characters = Array.from(text);
    this.offset = 0;
    this.code = code;
  }

  fail() {
    throw new KmsError(this.code);
  }

  peek() {
    return this.characters[this.offset];
  }

  next() {
    const character = this.characters[this.offset];
    // 4.2 step 2: the text ends within the object.
    if (character === undefined) {
      this.fail();
    }
    this.offset += 1;
    return character;
  }

  // 4.2 step 2: a token has to be there and has to be this one.
  expect(character) {
    if (this.next() !== character) {
      this.fail();
    }
  }

  // 4.2 step 2: four characters are white space, and no other.
  skipWhiteSpace() {
    while (WHITE_SPACE.has(this.peek())) {
      this.offset += 1;
    }
  }

  // 4.2 step 2: nothing follows the object.
  expectEnd() {
    if (this.offset !== this.characters.length) {
      this.fail();
    }
  }

  // 4.2 steps 3 and 5: a name or a value; anything that does not begin with `"` is not a string.
  readString() {
    this.expect('"');
    const parts = [];
    while (this.peek() !== '"') {
      parts.push(this.readCharacter());
    }
    this.offset += 1;
    return parts.join('');
  }

  readCharacter() {
    const character = this.next();
    if (character === '\\') {
      return this.readEscape();
    }
    const codePoint = character.codePointAt(0);
    // 4.2 step 3: U+0000 to U+001F need an escape.
    if (codePoint <= 0x1f) {
      this.fail();
    }
    // 4.2 step 4: a surrogate without an escape is not part of a pair.
    if (isHighSurrogate(codePoint) || isLowSurrogate(codePoint)) {
      this.fail();
    }
    return character;
  }

  readEscape() {
    const kind = this.next();
    if (kind === 'u') {
      return this.readUnicodeEscape();
    }
    // 4.2 step 3: any other escape.
    if (!SHORT_ESCAPES.has(kind)) {
      this.fail();
    }
    return SHORT_ESCAPES.get(kind);
  }

  readUnicodeEscape() {
    const unit = this.readHexUnit();
    // 4.2 step 4: a low surrogate without a high one before it.
    if (isLowSurrogate(unit)) {
      this.fail();
    }
    if (!isHighSurrogate(unit)) {
      return String.fromCharCode(unit);
    }
    // 4.2 step 4: an escaped high surrogate is directly followed by an escaped low one.
    this.expect('\\');
    this.expect('u');
    const low = this.readHexUnit();
    if (!isLowSurrogate(low)) {
      this.fail();
    }
    return String.fromCharCode(unit, low);
  }

  // 4.2 step 3: exactly four ASCII hexadecimal digits of either case.
  readHexUnit() {
    let digits = '';
    for (let i = 0; i < 4; i += 1) {
      digits += this.next();
    }
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) {
      this.fail();
    }
    return parseInt(digits, 16);
  }
}

// Reads one member `name: value` of an object of strings.
function readMember(reader) {
  reader.skipWhiteSpace();
  const name = reader.readString();
  reader.skipWhiteSpace();
  reader.expect(':');
  reader.skipWhiteSpace();
  // 4.2 steps 5 and 7: every value is a string; a bracket ends the reading at once.
  const value = reader.readString();
  reader.skipWhiteSpace();
  return [name, value];
}

function readMembers(reader) {
  const members = [];
  const names = new Set();
  do {
    const [name, value] = readMember(reader);
    // 4.2 step 6: no name twice, after unescaping.
    if (names.has(name)) {
      reader.fail();
    }
    names.add(name);
    members.push([name, value]);
  } while (reader.peek() === ',' && reader.next());
  return members;
}

// Gives the members of one JSON object of strings as [name, value], in the order of the text.
export function readObjectOfStrings(text, code) {
  const reader = new JsonReader(text, code);
  reader.skipWhiteSpace();
  reader.expect('{');
  reader.skipWhiteSpace();
  const members = reader.peek() === '}' ? [] : readMembers(reader);
  reader.expect('}');
  reader.skipWhiteSpace();
  reader.expectEnd();
  return members;
}
