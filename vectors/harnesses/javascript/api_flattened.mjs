// Section 14.1: flattened contexts.

import { invalidParameter } from './api_errors.mjs';
import { compactJson } from './compact_json.mjs';

const LIST_SUFFIX = /^(?:0|[1-9][0-9]*)\.(?:Key|Value)$/;

// 14.1: gives what follows the first `.` in the names of the context, each with its value.
export function flattenedSuffixes(params, context) {
  const prefix = `${context}.`;
  return [...params]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length), value]);
}

// 14.1 step 2: gives a field of a pair of a list.
function listField(fields, suffix, context) {
  // 14.1 step 2: an `N.Key` or `N.Value` is missing.
  if (!fields.has(suffix)) {
    throw invalidParameter(context);
  }
  return fields.get(suffix);
}

// 14.1 step 2: gives the pairs of a list, in the order of the numbers.
function readList(suffixes, context) {
  // 14.1 step 2: the number of suffixes is odd.
  if (suffixes.length % 2 !== 0) {
    throw invalidParameter(context);
  }
  const fields = new Map(suffixes);
  const pairs = [];
  for (let number = 1; number <= suffixes.length / 2; number += 1) {
    const key = listField(fields, `${number}.Key`, context);
    pairs.push([key, listField(fields, `${number}.Value`, context)]);
  }
  // 14.1 step 2: two pairs have one key.
  if (new Set(pairs.map(([key]) => key)).size !== pairs.length) {
    throw invalidParameter(context);
  }
  return pairs;
}

// 14.1 steps 2 to 4: gives the pairs of the suffixes.
function readPairs(suffixes, context) {
  const listed = suffixes.filter(([suffix]) => LIST_SUFFIX.test(suffix));
  // 14.1 step 2: every suffix is of a list.
  if (listed.length === suffixes.length) {
    return readList(suffixes, context);
  }
  // 14.1 step 3: only some suffixes are of a list.
  if (listed.length > 0) {
    throw invalidParameter(context);
  }
  // 14.1 step 4: each suffix is a key.
  return suffixes;
}

// 14.1: gives the JSON text of a context that is flattened. There is at least one suffix.
export function readFlattened(params, context, suffixes) {
  // 14.1 step 1: a parameter of the context's own name is there too.
  if (params.has(context) && params.get(context) !== '') {
    throw invalidParameter(context);
  }
  // 14.1 step 5.
  return compactJson(readPairs(suffixes, context));
}
