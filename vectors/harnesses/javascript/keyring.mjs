// Section 11.3: a set of key versions that are checked when it is made, and found by their IDs.
//
// A version is { keyId, keyVersionId, keySpec, state } with { suiteId, key } if it is symmetric and
// with { privateKey } if it is not.

import { isValidId } from './blob.mjs';
import { fromHex, toHex } from './bytes.mjs';
import { KmsError } from './errors.mjs';
import { parsePrivateKey } from './private_keys.mjs';
import { isKnownSpec, isSymmetricSpec, KEY_STATES, SYMMETRIC_KEY_SPECS } from './suites.mjs';

function fail() {
  throw new KmsError('invalid_key');
}

function readSuiteId(text) {
  return /^[0-9a-f]{2}$/.test(text) ? parseInt(text, 16) : undefined;
}

function readSymmetricMaterial(entry) {
  const { keyLength, suiteIds } = SYMMETRIC_KEY_SPECS.get(entry.key_spec);
  const suiteId = readSuiteId(entry.suite_id);
  // 11.3: the suite is one of the key spec's.
  if (!suiteIds.includes(suiteId)) {
    fail();
  }
  const key = fromHex(entry.key);
  // 11.3: the material is as long as the key spec says.
  if (key.length !== keyLength) {
    fail();
  }
  return { suiteId, key };
}

function readMaterial(entry) {
  if (isSymmetricSpec(entry.key_spec)) {
    return readSymmetricMaterial(entry);
  }
  return { privateKey: parsePrivateKey(entry.key_spec, fromHex(entry.private_key)) };
}

function readEntry(entry) {
  // 11.3: the key spec is known.
  if (!isKnownSpec(entry.key_spec)) {
    throw new KmsError('unsupported_algorithm');
  }
  // 11.3: the state is known.
  if (!KEY_STATES.has(entry.state)) {
    throw new KmsError('unsupported_algorithm');
  }
  // 11.3: the key ID is one of section 3.1.
  if (!isValidId(entry.key_id)) {
    fail();
  }
  // 11.3: the key version ID is one of section 3.1.
  if (!isValidId(entry.key_version_id)) {
    fail();
  }
  return Object.freeze({
    keyId: entry.key_id,
    keyVersionId: entry.key_version_id,
    keySpec: entry.key_spec,
    state: entry.state,
    ...readMaterial(entry),
  });
}

// The keys of a keyring, and each key's versions in the order in which they are given.
export class Keyring {
  #keys = new Map();

  #suites = new Map();

  // Takes objects as section 11.3 has them. Fails with `invalid_key` or `unsupported_algorithm`.
  constructor(entries) {
    for (const entry of entries) {
      this.#insert(readEntry(entry));
    }
  }

  #insert(version) {
    const versions = this.#keys.get(version.keyId) ?? [];
    // 11.3: no two entries with the same key ID and key version ID.
    if (versions.some(({ keyVersionId }) => keyVersionId === version.keyVersionId)) {
      fail();
    }
    // 11.3: versions of one key have one key spec.
    if (versions.some(({ keySpec }) => keySpec !== version.keySpec)) {
      fail();
    }
    this.#bindSuite(version);
    this.#keys.set(version.keyId, [...versions, version]);
  }

  // 11.3: one material is bound to one suite, under whatever IDs.
  #bindSuite({ key, suiteId }) {
    if (key === undefined) {
      return;
    }
    const material = toHex(key);
    const bound = this.#suites.get(material) ?? suiteId;
    if (bound !== suiteId) {
      fail();
    }
    this.#suites.set(material, suiteId);
  }

  // All versions of all keys.
  get versions() {
    return [...this.#keys.values()].flat();
  }

  #versionsOf(keyId) {
    // 5.5 step 2: an ID that section 3.1 does not allow is the ID of no key, and is not looked up.
    if (!isValidId(keyId)) {
      throw new KmsError('key_not_found');
    }
    const versions = this.#keys.get(keyId);
    // 5.5 step 2 and 5.6 step 3: there is no key of that ID.
    if (versions === undefined) {
      throw new KmsError('key_not_found');
    }
    return versions;
  }

  // Gives the version of these IDs (section 5.6 step 3).
  find(keyId, keyVersionId) {
    const versions = this.#versionsOf(keyId);
    const found = versions.find((version) => version.keyVersionId === keyVersionId);
    // 5.6 step 3: the key has no such version.
    if (found === undefined) {
      throw new KmsError('key_version_not_found');
    }
    return found;
  }

  // Gives the primary version of a key (section 5.5 step 2), which is the last of its entries.
  primary(keyId) {
    return this.#versionsOf(keyId).at(-1);
  }
}
