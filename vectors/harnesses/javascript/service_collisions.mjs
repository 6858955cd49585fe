// Section 13.4, "Collisions": the other contexts that have the text of a context.

import { utf8Encode } from './bytes.mjs';
import { MAX_CANONICAL_BYTES, canonicalize } from './context.mjs';
import { contextText, keyOrder } from './service_context.mjs';

// Gives every offset of `character` in `text` from `start` on.
function offsetsOf(text, character, start) {
  const offsets = [];
  for (let i = text.indexOf(character, start); i >= 0; i = text.indexOf(character, i + 1)) {
    offsets.push(i);
  }
  return offsets;
}

// 13.4: gives the ways to cut a part at one of its `=` into a key and a value.
function cutPart(part) {
  return offsetsOf(part, '=', 0).map((i) => [part.slice(0, i), part.slice(i + 1)]);
}

// 13.4: gives the readings of `text` whose first key comes after `previousKey`.
function* readings(text, previousKey, compare) {
  // 13.4: a part ends at one of the `&` or at the end of the text.
  for (const end of [...offsetsOf(text, '&', 0), text.length]) {
    for (const pair of cutPart(text.slice(0, end))) {
      // 13.4: the keys are in ascending order, none twice.
      if (previousKey !== null && compare(previousKey, pair[0]) >= 0) {
        continue;
      }
      if (end === text.length) {
        yield [pair];
        continue;
      }
      for (const rest of readings(text.slice(end + 1), pair[0], compare)) {
        yield [pair, ...rest];
      }
    }
  }
}

// 13.3: only a context that obeys the limit of section 4.1 is a context.
function fits(pairs) {
  const lengths = pairs.map(([key, value]) => utf8Encode(key).length + utf8Encode(value).length);
  return lengths.reduce((sum, length) => sum + 4 + length, 2) <= MAX_CANONICAL_BYTES;
}

// Section 13.4: gives the canonical bytes, in hexadecimal, of every other context of the text.
export function collisions(pairs, sortOrder) {
  const own = canonicalize(pairs).toString('hex');
  const found = [];
  for (const reading of readings(contextText(pairs, sortOrder), null, keyOrder(sortOrder))) {
    if (fits(reading)) {
      found.push(canonicalize(reading).toString('hex'));
    }
  }
  // 13.4: the context itself is not another context.
  return found.filter((canonical) => canonical !== own).sort();
}
