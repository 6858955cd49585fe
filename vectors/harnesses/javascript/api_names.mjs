// Section 14.1: names of parameters that differ from a known name only in the case of letters.

import { CONTEXT_NAMES, KNOWN_NAMES } from './api_actions.mjs';

// Unicode CaseFolding.txt, status C and F: all characters outside ASCII that fold to ASCII.
const FOLDED = new Map([
  ['\u00df', 'ss'],
  ['\u017f', 's'],
  ['\u1e9e', 'ss'],
  ['\u212a', 'k'],
  ['\ufb00', 'ff'],
  ['\ufb01', 'fi'],
  ['\ufb02', 'fl'],
  ['\ufb03', 'ffi'],
  ['\ufb04', 'ffl'],
  ['\ufb05', 'st'],
  ['\ufb06', 'st'],
]);

// Folds ASCII and what folds to it. All known names are ASCII, so the rest may stay as it is.
function foldCase(text) {
  const ascii = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return ascii.replace(/[^\0-\x7f]/g, (character) => FOLDED.get(character) ?? character);
}

const FOLDED_NAMES = new Map([...KNOWN_NAMES].map((name) => [foldCase(name), name]));

// 14.1, first exception: gives the right name for a name in another case, else `null`.
function rightNameOfCase(name) {
  const right = FOLDED_NAMES.get(foldCase(name));
  return right === undefined || right === name ? null : right;
}

// 14.1, second exception: gives the context that a name with `.` or `[` misspells, else `null`.
function rightNameOfContext(name) {
  const end = name.search(/[.[]/);
  if (end < 0) {
    return null;
  }
  const right = FOLDED_NAMES.get(foldCase(name.slice(0, end)));
  // 14.1: the part before the first `.` or `[` is the name of a context, in any case.
  if (!CONTEXT_NAMES.includes(right)) {
    return null;
  }
  // 14.1: in the right case and before a `.`, it is part of a flattened context.
  if (name.slice(0, end) === right && name[end] === '.') {
    return null;
  }
  return right;
}

// Gives the right name for a name of a parameter that is not to be ignored, else `null`.
export function rightName(name) {
  return rightNameOfCase(name) ?? rightNameOfContext(name);
}
