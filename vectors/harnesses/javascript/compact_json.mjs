// Section 14.1, "Flattened contexts" step 5: the compact JSON text of a context.

const SHORT_ESCAPES = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

// 14.1 step 5: as short as JSON can, else `\u00XX` in lower case.
function escapeCharacter(character) {
  const digits = character.charCodeAt(0).toString(16).padStart(4, '0');
  return SHORT_ESCAPES.get(character) ?? `\\u${digits}`;
}

// 14.1 step 5: `"`, `\` and U+0000 to U+001F are escaped, and nothing else.
function quote(text) {
  return `"${text.replace(/["\\\u0000-\u001f]/g, escapeCharacter)}"`;
}

// Gives the text of the pairs in the order in which they are given.
export function compactJson(pairs) {
  const members = pairs.map(([key, value]) => `${quote(key)}:${quote(value)}`);
  return `{${members.join(',')}}`;
}
