// Section 14.2, steps 4 to 6: which keys are meant, whether they may be used, and whether the
// names are those of something.
//
// A target is { keyId, kind, name }: the key ID that is denoted (`null` for no key), how it was
// named, and the name that stands in place of the key ID when the policy is asked once more.

import { ApiError } from './api_errors.mjs';

const MAX_NAME_CHARACTERS = 512;
const ALIAS = /^(?:alias\/|acs:kms:[^:]*:[^:]*:alias\/)/;
const KEY_RESOURCE = /^acs:kms:[^:]*:[^:]*:key\/(.+)$/s;
const OTHER_OR_SEPARATOR = /(?! )[\p{C}\p{Z}]/u;

// 14.2 step 6: the error for a name of each kind that is not to be found.
const NOT_FOUND = new Map([
  ['alias', 'Forbidden.AliasNotFound'],
  ['resource', 'Forbidden.KeyNotFound'],
  ['version', 'Forbidden.KeyVersionNotFound'],
]);

// 14.2 step 4: tells whether a text is an alias or the resource name of one.
export function isAlias(text) {
  return ALIAS.test(text);
}

// 14.2 step 4: tells whether a name may be looked up.
function isLookedUp(text) {
  // 14.2 step 4: more than 512 characters.
  if (Array.from(text).length > MAX_NAME_CHARACTERS) {
    return false;
  }
  // 14.2 step 4: a character of the categories Other and Separator apart from the space.
  return !OTHER_OR_SEPARATOR.test(text);
}

function resolveAlias(text, aliases) {
  // 14.2 step 4: an alias that is known denotes a key ID, an unknown one no key.
  const isKnown = isLookedUp(text) && Object.hasOwn(aliases, text);
  return { keyId: isKnown ? aliases[text] : null, kind: 'alias', name: text };
}

function resolveResource(text) {
  const match = KEY_RESOURCE.exec(text);
  // 14.2 step 4: another text that begins with `acs:` denotes no key.
  if (match === null) {
    return { keyId: null, kind: 'resource', name: text };
  }
  // 14.2 step 4: a resource name of a key, of any region and account.
  return { keyId: isLookedUp(text) ? match[1] : null, kind: 'resource', name: match[1] };
}

// 14.2 step 4: gives the target of a text that names a key in a request.
export function resolveText(text, aliases) {
  if (isAlias(text)) {
    return resolveAlias(text, aliases);
  }
  if (text.startsWith('acs:')) {
    return resolveResource(text);
  }
  return resolveKeyId(text);
}

// Gives the target of a key that is named by its ID.
export function resolveKeyId(keyId) {
  return { keyId, kind: 'id', name: keyId };
}

// Gives the target of the key version ID of a blob in the service's layout.
export function resolveVersion(keyVersionId, keyId) {
  return { keyId, kind: 'version', name: keyVersionId };
}

function forbidden() {
  return new ApiError('Forbidden.NoPermission');
}

// 14.2 step 5: gives whether the target is to be found, or fails with `Forbidden.NoPermission`.
export function authorize(policy, permission, target) {
  // 14.2 step 5: the policy is asked about the key.
  if (target.keyId !== null && policy.allows(permission, target.keyId)) {
    return true;
  }
  // 14.2 step 5: a key that was named by its ID.
  if (target.kind === 'id') {
    throw forbidden();
  }
  // 14.2 step 5: never twice about one resource.
  if (target.name === target.keyId) {
    throw forbidden();
  }
  // 14.2 step 5: the policy is asked once more, about the name.
  if (!policy.allows(permission, target.name)) {
    throw forbidden();
  }
  return false;
}

// 14.2 step 6: the error of a target that is not to be found.
export function notFound(target) {
  return new ApiError(NOT_FOUND.get(target.kind));
}
