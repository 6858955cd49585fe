// Section 13.5: opening and sealing in the service's own layout.

import { randomBytes } from 'node:crypto';

import { concat, decodeBase64, utf8Decode } from './bytes.mjs';
import { KmsError } from './errors.mjs';
import { isUuid, MAX_PAYLOAD_BYTES, parseServiceBlob } from './service_blob.mjs';
import { rejectAmbiguous, serviceAssociatedData } from './service_context.mjs';
import { PUBLISHED_PROFILE } from './service_profile.mjs';
import { isSymmetricSpec, SUITES } from './suites.mjs';
import { open, seal } from './symmetric.mjs';

const IV_BYTES = 12;

// 13.5 step 3: gives the version of that ID, whatever its key, or undefined.
export function findServiceVersion(keyring, keyVersionId) {
  return keyring.versions.find((version) => version.keyVersionId === keyVersionId);
}

// 13.5 step 3: the key version can be used in this layout.
export function checkServiceVersion(version) {
  // 13.5 step 3: it is enabled.
  if (version.state !== 'Enabled') {
    throw new KmsError('key_state');
  }
  // 13.5 step 3: it is symmetric.
  if (!isSymmetricSpec(version.keySpec)) {
    throw new KmsError('key_usage');
  }
  // 13.5 step 3: it is not bound to XAES-256-GCM.
  if (SUITES.get(version.suiteId).name === 'XAES_256_GCM') {
    throw new KmsError('key_usage');
  }
}

// 13.5, "Sealing": the ID of the version that seals is a UUID.
export function checkSealingVersion(version) {
  checkServiceVersion(version);
  if (!isUuid(version.keyVersionId)) {
    throw new KmsError('key_usage');
  }
}

// 13.5 step 4: what is sealed as it is has a limit of its own.
export function checkPayloadSize(blob) {
  if (blob.ciphertext.length > MAX_PAYLOAD_BYTES) {
    throw new KmsError('plaintext_size');
  }
}

// 13.5 step 5: gives the payload. The context has been checked before.
export function openPayload(version, blob, associatedData) {
  const { suiteId, key } = version;
  return open(suiteId, key, blob.iv, blob.ciphertext, blob.tag, associatedData);
}

// 13.5 step 6: gives the bytes of a payload in Base64. The error is that of a wrong tag.
export function decodePayload(payload) {
  return decodeBase64(utf8Decode(payload, 'decryption'), 'decryption');
}

// 13.5, "Sealing": gives the blob of a payload by the published rule, with a random IV.
export function sealPayload(version, payload, pairs) {
  const iv = randomBytes(IV_BYTES);
  const associatedData = serviceAssociatedData(pairs, PUBLISHED_PROFILE);
  const { ciphertext, tag } = seal(version.suiteId, version.key, iv, payload, associatedData);
  return concat(Buffer.from(version.keyVersionId, 'latin1'), iv, ciphertext, tag);
}

// Section 13.5: gives the plaintext of a blob. `pairs` is `null` for no context.
export function decryptServiceBlob(keyring, bytes, pairs, profile, allowsAmbiguous) {
  // 13.5 step 1.
  const blob = parseServiceBlob(bytes, profile.prefix);
  // 13.5 step 2: the associated data.
  const associatedData = serviceAssociatedData(pairs, profile);
  // 13.5 step 2: an ambiguous context has to be allowed.
  if (!allowsAmbiguous) {
    rejectAmbiguous(pairs, profile);
  }
  const version = findServiceVersion(keyring, blob.keyVersionId);
  // 13.5 step 3: there is none.
  if (version === undefined) {
    throw new KmsError('key_version_not_found');
  }
  checkServiceVersion(version);
  // 13.5 step 4.
  if (profile.payload === 'raw') {
    checkPayloadSize(blob);
  }
  // 13.5 step 5.
  const payload = openPayload(version, blob, associatedData);
  // 13.5 step 6.
  return profile.payload === 'base64' ? decodePayload(payload) : payload;
}
