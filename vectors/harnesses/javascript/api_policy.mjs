// Section 14.3: permissions and policy documents.

import { ACTIONS } from './api_actions.mjs';

const RESOURCE_PARTS = 5;
const MEMBERS = new Set(['Effect', 'Action', 'Resource']);
const EFFECTS = new Set(['Allow', 'Deny']);

// Section 14.3: `kms:` and the name of the action; two for `ReEncrypt`.
const PERMISSIONS = [
  ...[...ACTIONS.keys()].filter((name) => name !== 'ReEncrypt').map((name) => `kms:${name}`),
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

// 14.3: `*` matches any characters, and nothing else is special.
function matches(pattern, text) {
  const pieces = pattern.split('*');
  const first = pieces.shift();
  if (pieces.length === 0) {
    return pattern === text;
  }
  const last = pieces.pop();
  // The first and the last piece have to be at the ends, without an overlap.
  if (text.length < first.length + last.length) {
    return false;
  }
  if (!text.startsWith(first) || !text.endsWith(last)) {
    return false;
  }
  let offset = first.length;
  for (const piece of pieces) {
    const found = text.indexOf(piece, offset);
    if (found < 0) {
      return false;
    }
    offset = found + piece.length;
  }
  return offset <= text.length - last.length;
}

// Gives the parts of a resource name. The fifth has all that follows the fourth colon.
function partsOf(resource) {
  const parts = resource.split(':');
  const last = parts.slice(RESOURCE_PARTS - 1).join(':');
  return parts.length < RESOURCE_PARTS ? parts : [...parts.slice(0, RESOURCE_PARTS - 1), last];
}

// 14.3: a `*` for region or account in the resource that is asked about fits any pattern.
function partMatches(pattern, part) {
  return part === '*' || matches(pattern, part);
}

// 14.3: tells whether a pattern matches a resource name of five parts.
function resourceMatches(pattern, resource) {
  // 14.3: each part by itself. A `*` that ends fewer parts matches all that follow.
  const patterns = partsOf(pattern);
  const parts = partsOf(resource);
  return patterns.every((part, i) => partMatches(part, parts[i]));
}

function reject() {
  throw new TypeError('not a policy document');
}

// 14.3: a text or a list of texts.
function readTexts(value) {
  const texts = Array.isArray(value) ? value : [value];
  if (!texts.every((text) => typeof text === 'string')) {
    reject();
  }
  return texts;
}

// 14.3: checks the pattern of a resource name.
function checkResource(pattern) {
  const parts = partsOf(pattern);
  // 14.3: others read `?` as a wildcard.
  if (pattern.includes('?')) {
    reject();
  }
  // 14.3: of fewer parts, the last is `*`.
  if (parts.length < RESOURCE_PARTS && parts.at(-1) !== '*') {
    reject();
  }
  // 14.3: no resource name of the service has an empty part.
  if (parts.includes('') && matches(parts[1], 'kms')) {
    reject();
  }
}

// 14.3: gives the statement, or `null` for one that is ignored.
function readStatement(statement) {
  const actions = readTexts(statement.Action);
  // 14.3: no action that can match a permission of this section.
  if (!PERMISSIONS.some((name) => actions.some((pattern) => matches(pattern, name)))) {
    return null;
  }
  // 14.3: `Condition`, or another member that this section does not know.
  if (!Object.keys(statement).every((name) => MEMBERS.has(name))) {
    reject();
  }
  // 14.3: `Effect` is one of two.
  if (!EFFECTS.has(statement.Effect)) {
    reject();
  }
  const resources = readTexts(statement.Resource);
  resources.forEach(checkResource);
  return { effect: statement.Effect, actions, resources };
}

class Policy {
  constructor(statements) {
    this.statements = statements;
  }

  // 14.2 step 5: tells whether a permission is given on `acs:kms:*:*:key/KEYID`.
  allows(permission, keyId) {
    const resource = `acs:kms:*:*:key/${keyId}`;
    const effects = this.statements
      .filter(({ actions }) => actions.some((pattern) => matches(pattern, permission)))
      .filter(({ resources }) => resources.some((name) => resourceMatches(name, resource)))
      .map(({ effect }) => effect);
    // 14.3: what some statement denies.
    if (effects.includes('Deny')) {
      return false;
    }
    // 14.3: what none allows.
    return effects.includes('Allow');
  }
}

const EVERYTHING = new Policy([{ effect: 'Allow', actions: ['*'], resources: ['*'] }]);

// Section 14.6: gives the policy of a document as JSON text, or that of `null`.
export function readPolicy(text) {
  // 14.6: everything is allowed.
  if (text === null) {
    return EVERYTHING;
  }
  const document = JSON.parse(text);
  // 14.3: `Version` is "1".
  if (document.Version !== '1') {
    reject();
  }
  // 14.3: `Statement` is a list.
  if (!Array.isArray(document.Statement)) {
    reject();
  }
  return new Policy(document.Statement.map(readStatement).filter((read) => read !== null));
}
