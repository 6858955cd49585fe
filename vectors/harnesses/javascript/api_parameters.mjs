// Sections 14.1 and 14.2, steps 1 to 3: the parameters of a request.

import { ACTIONS, CONTEXT_NAMES, readingOrder } from './api_actions.mjs';
import { ApiError, invalidParameter, missingParameter } from './api_errors.mjs';
import { flattenedSuffixes, readFlattened } from './api_flattened.mjs';
import { rightName } from './api_names.mjs';
import { readValue } from './api_values.mjs';
import { isAmbiguous } from './service_context.mjs';
import { ALGORITHMS } from './suites.mjs';

// 14.1: the empty text is absent; only `Plaintext` may be empty.
function isPresent(params, name) {
  return params.has(name) && (params.get(name) !== '' || name === 'Plaintext');
}

function wrongNames(params) {
  return [...params.keys()].map(rightName).filter((name) => name !== null);
}

// 14.2 steps 1 and 2: a name in another case.
function rejectOtherCase(params, name) {
  if (wrongNames(params).includes(name)) {
    throw invalidParameter(name);
  }
}

// 14.2 step 1: tells whether the request is a dry run.
export function readDryRun(params) {
  // 14.2 step 1: `DryRun` in another case.
  rejectOtherCase(params, 'DryRun');
  if (!isPresent(params, 'DryRun')) {
    return false;
  }
  const value = params.get('DryRun').toLowerCase();
  // 14.2 step 1: `true` or `false`, in any case of letters.
  if (value !== 'true' && value !== 'false') {
    throw invalidParameter('DryRun');
  }
  return value === 'true';
}

// 14.2 step 2: gives the action.
export function readAction(params) {
  // 14.2 step 2: `Action` in another case.
  rejectOtherCase(params, 'Action');
  // 14.2 step 2: no `Action`.
  if (!isPresent(params, 'Action')) {
    throw missingParameter('Action');
  }
  const action = params.get('Action');
  // 14.2 step 2: not exactly one of the nine.
  if (!ACTIONS.has(action)) {
    throw new ApiError('UnsupportedOperation');
  }
  return action;
}

// 14.2 step 3: of all known names that are there in another case, the first by alphabet.
function rejectWrongNames(params) {
  const names = wrongNames(params).sort();
  if (names.length > 0) {
    throw invalidParameter(names[0]);
  }
}

function takes(action, name) {
  const { required, optional } = ACTIONS.get(action);
  return required.includes(name) || optional.includes(name);
}

// 14.2 step 3: gives the parameters, each flattened context being replaced by its JSON text.
function gatherContexts(action, params) {
  const gathered = new Map(params);
  for (const context of CONTEXT_NAMES) {
    const suffixes = flattenedSuffixes(params, context);
    if (suffixes.length > 0) {
      gathered.set(context, readFlattened(params, context, suffixes));
    }
    // 14.1, third exception: a context that the action does not take.
    if (isPresent(gathered, context) && !takes(action, context)) {
      throw invalidParameter(context);
    }
  }
  return gathered;
}

// 14.2 step 3: the first required parameter that is missing.
function requireNeeded(action, params) {
  for (const name of ACTIONS.get(action).required) {
    if (!isPresent(params, name)) {
      throw missingParameter(name);
    }
  }
}

// 14.2 step 3: the first parameter that is not as it has to be.
function readValues(action, params, layout) {
  const values = {};
  for (const name of readingOrder(action)) {
    if (isPresent(params, name)) {
      values[name] = readValue(name, params.get(name), action, layout);
    }
  }
  return values;
}

// 14.2 step 3: the first ambiguous context, in the service's layout.
function rejectAmbiguousContexts(action, values) {
  for (const name of readingOrder(action)) {
    if (CONTEXT_NAMES.includes(name) && name in values && isAmbiguous(values[name])) {
      throw invalidParameter(name);
    }
  }
}

// 14.2 step 3: the wrapping key, its key spec and its algorithm belong together.
function checkWrapping({ PublicKeyBlob, WrappingKeySpec, WrappingAlgorithm }) {
  // 14.2 step 3: the spec of the key is not `WrappingKeySpec`.
  if (PublicKeyBlob.keySpec !== WrappingKeySpec) {
    throw invalidParameter('WrappingKeySpec');
  }
  // 14.2 step 3: `WrappingAlgorithm` does not fit the spec.
  if (!ALGORITHMS.get(WrappingAlgorithm).keySpecs.includes(WrappingKeySpec)) {
    throw invalidParameter('WrappingAlgorithm');
  }
}

// 14.2 step 3: gives an object of the values of the parameters that are there.
export function readParameters(action, params, layout) {
  rejectWrongNames(params);
  const gathered = gatherContexts(action, params);
  requireNeeded(action, gathered);
  const values = readValues(action, gathered, layout);
  if (layout === 'service') {
    rejectAmbiguousContexts(action, values);
  }
  if (takes(action, 'PublicKeyBlob')) {
    checkWrapping(values);
  }
  return values;
}
