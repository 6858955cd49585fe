// Section 14.7, "Reading" step 6: the body of a request in JSON.

import { compactJson } from './compact_json.mjs';
import { JsonReader } from './json.mjs';

const REJECTED = 'InvalidParameter';
const MAX_NAMES = 8192;
const LITERAL_CHARACTER = /^[-+.0-9A-Za-z]$/;
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;

// Reads one object and gives its members as [name, value], the values being read by `readValue`.
function readObject(reader, readValue) {
  const members = new Map();
  reader.expect('{');
  reader.skipWhiteSpace();
  if (reader.peek() !== '}') {
    readMembers(reader, readValue, members);
  }
  reader.expect('}');
  // 14.7 step 6: at most 8,192 names.
  if (members.size > MAX_NAMES) {
    reader.fail();
  }
  return [...members];
}

function readMembers(reader, readValue, members) {
  do {
    reader.skipWhiteSpace();
    const name = reader.readString();
    // 14.7 step 6: no repeated name.
    if (members.has(name)) {
      reader.fail();
    }
    reader.skipWhiteSpace();
    reader.expect(':');
    reader.skipWhiteSpace();
    members.set(name, readValue(reader));
    reader.skipWhiteSpace();
  } while (reader.peek() === ',' && reader.next());
}

// 14.7 step 6: gives the text of an integer or a truth value as written, and `null` for `null`.
function readLiteral(reader) {
  let literal = '';
  while (LITERAL_CHARACTER.test(reader.peek() ?? '')) {
    literal += reader.next();
  }
  if (literal === 'null') {
    return null;
  }
  if (literal === 'true' || literal === 'false') {
    return literal;
  }
  // 14.7 step 6: anything else, such as a fraction, an exponent or an array.
  if (!INTEGER.test(literal)) {
    reader.fail();
  }
  return literal;
}

// 14.7 step 6: gives the text of a value, a context being its compact JSON text.
function readValue(reader) {
  if (reader.peek() === '"') {
    return reader.readString();
  }
  if (reader.peek() === '{') {
    return compactJson(readObject(reader, (inner) => inner.readString()));
  }
  return readLiteral(reader);
}

// Gives the members of a body as [name, value]. A `null` has no value but counts as given.
export function readJsonBody(text) {
  const reader = new JsonReader(text, REJECTED);
  reader.skipWhiteSpace();
  const members = readObject(reader, readValue);
  reader.skipWhiteSpace();
  // 14.7 step 6: one object and nothing else.
  reader.expectEnd();
  return members;
}
