// Section 14.7, "Reading": a request as it is sent. A rejection is a KmsError with its code.

import { utf8Decode } from './bytes.mjs';
import { KmsError } from './errors.mjs';
import { readQuery } from './form.mjs';
import { readJsonBody } from './json_body.mjs';

const MAX_HEADER_CHARACTERS = 65536;
const MAX_TARGET_CHARACTERS = 524288;
const MAX_BODY_BYTES = 524288;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\xa0-\xff]*$/;
const SPACES = new Set([' ', '\t']);
const TARGET = /^\/[\x21-\x7e]*$/;
const METHODS = new Set(['GET', 'POST']);
const FORMATS = new Set(['json', 'xml']);
const CHARSET = /^[ \t]*charset=(?:utf-8|"utf-8")$/i;
const VERSION = '2016-01-20';

export const FORM_TYPE = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

function reject(code) {
  throw new KmsError(code);
}

// 14.7 "Reading" step 1: spaces and tabs around a value are not part of it.
function withoutSpaces(value) {
  let start = 0;
  let end = value.length;
  while (start < end && SPACES.has(value[start])) {
    start += 1;
  }
  while (start < end && SPACES.has(value[end - 1])) {
    end -= 1;
  }
  return value.slice(start, end);
}

// 14.7 "Reading" step 1: gives a map of the headers, the names in lower case.
function readHeaders(pairs) {
  const length = pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  // 14.7 step 1: at most 65,536 characters in all.
  if (length > MAX_HEADER_CHARACTERS) {
    reject('InvalidParameter');
  }
  const headers = new Map();
  for (const [name, value] of pairs) {
    // 14.7 step 1: names are tokens.
    if (!TOKEN.test(name)) {
      reject('InvalidParameter');
    }
    // 14.7 step 1: values are Latin-1 without control characters other than the tab.
    if (!HEADER_VALUE.test(value)) {
      reject('InvalidParameter');
    }
    // 14.7 step 1: a header that is given twice, in any case of its letters.
    if (headers.has(name.toLowerCase())) {
      reject('InvalidParameter');
    }
    headers.set(name.toLowerCase(), withoutSpaces(value));
  }
  return headers;
}

// 14.7 "Reading" step 2: gives the path and the query of a target.
function splitTarget(target) {
  // 14.7 step 2: at most 524,288 characters.
  if (target.length > MAX_TARGET_CHARACTERS) {
    reject('UnsupportedOperation');
  }
  // 14.7 step 2: visible ASCII that begins with `/`.
  if (!TARGET.test(target)) {
    reject('UnsupportedOperation');
  }
  // 14.7 step 2: no `#`.
  if (target.includes('#')) {
    reject('UnsupportedOperation');
  }
  // 14.7 step 2: the path ends before the first `?`.
  const end = target.includes('?') ? target.indexOf('?') : target.length;
  return { path: target.slice(0, end), query: target.slice(end + 1) };
}

// 14.7 "Reading" step 4: `Format` is `JSON` or `XML` in any case. One that is empty is absent.
function checkFormat(parameters) {
  for (const [name, value] of parameters) {
    if (name === 'Format' && value && !FORMATS.has(value.toLowerCase())) {
      reject('InvalidParameter');
    }
  }
}

// 14.7 "Reading" step 5.
function checkMethodAndPath(method, path) {
  // 14.7 step 5: the method is `GET` or `POST`.
  if (!METHODS.has(method)) {
    reject('UnsupportedHTTPMethod');
  }
  // 14.7 step 5: the path is `/`.
  if (path !== '/') {
    reject('UnsupportedOperation');
  }
}

// 14.7 "Reading" step 6: gives the media type in lower case, after a look at its `charset`.
function readContentType(value) {
  const end = value.includes(';') ? value.indexOf(';') : value.length;
  // 14.7 step 6: one `charset`, which is `utf-8`, and no other parameter.
  if (end < value.length && !CHARSET.test(value.slice(end + 1))) {
    reject('InvalidParameter');
  }
  return withoutSpaces(value.slice(0, end)).toLowerCase();
}

// 14.7 "Reading" step 6: gives the media type and the parameters of the body.
function readBody(body, headers) {
  // 14.7 step 6: an empty body has no parameters, whatever its type.
  if (body.length === 0) {
    return { type: FORM_TYPE, parameters: [] };
  }
  // 14.7 step 6: at most 524,288 bytes.
  if (body.length > MAX_BODY_BYTES) {
    reject('InvalidParameter');
  }
  const type = readContentType(headers.get('content-type') ?? '');
  if (type === FORM_TYPE) {
    return { type, parameters: readQuery(body.toString('latin1')) };
  }
  // 14.7 step 6: one of the two types.
  if (type !== JSON_TYPE) {
    reject('InvalidParameter');
  }
  return { type, parameters: readJsonBody(utf8Decode(body, 'InvalidParameter')) };
}

// 14.7 "Reading" step 7: gives the parameters as a map. A `null` counts but has no value.
function mergeParameters(parameters) {
  const merged = new Map(parameters);
  // 14.7 step 7: a parameter that is given twice, in whatever parts.
  if (merged.size !== parameters.length) {
    reject('InvalidParameter');
  }
  return new Map(parameters.filter(([, value]) => value !== null));
}

// 14.7 "Reading" step 8: gives what header and parameter say, which are equal if both are there.
function readBoth(headers, headerName, parameters, name) {
  const header = headers.get(headerName);
  const parameter = parameters.get(name);
  // 14.7 step 8: both are there and differ.
  if (header !== undefined && parameter !== undefined && header !== parameter) {
    reject('InvalidParameter');
  }
  return header ?? parameter;
}

// 14.7 "Reading" step 8.
function checkActionAndVersion(headers, parameters) {
  const action = readBoth(headers, 'x-acs-action', parameters, 'Action');
  const version = readBoth(headers, 'x-acs-version', parameters, 'Version');
  // 14.7 step 8: another version; none is this one.
  if (version !== undefined && version !== VERSION) {
    reject('InvalidVersion');
  }
  // 14.7 step 8: an action is needed.
  if (action === undefined || action === '') {
    reject('MissingParameter');
  }
}

// Section 14.7, "Reading": gives the parts of a request, or rejects it.
export function readRequest({ method, target, headers: headerPairs, body }) {
  const headers = readHeaders(headerPairs);
  const { path, query } = splitTarget(target);
  const queryParameters = readQuery(query);
  checkFormat(queryParameters);
  checkMethodAndPath(method, path);
  const { type, parameters: bodyParameters } = readBody(body, headers);
  checkFormat(bodyParameters);
  const parameters = mergeParameters([...queryParameters, ...bodyParameters]);
  checkActionAndVersion(headers, parameters);
  // 14.7 step 9: two signatures.
  if (headers.has('authorization') && parameters.has('Signature')) {
    reject('IncompleteSignature');
  }
  return { method, headers, body, bodyType: type, queryParameters, parameters };
}
