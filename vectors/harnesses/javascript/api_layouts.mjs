// Section 14, "Opaque texts": the two layouts of all blobs of a deployment.
//
// The content is what is sealed: bytes in v1, and in the service's layout a text in UTF-8. `pairs`
// is undefined for an absent context.

import { ApiError } from './api_errors.mjs';
import { resolveKeyId, resolveVersion } from './api_resources.mjs';
import { parseBlob } from './blob.mjs';
import { encodeBase64, utf8Decode } from './bytes.mjs';
import { canonicalize } from './context.mjs';
import { parseServiceBlob } from './service_blob.mjs';
import { serviceAssociatedData } from './service_context.mjs';
import {
  checkPayloadSize, checkSealingVersion, checkServiceVersion, decodePayload, findServiceVersion,
  openPayload, sealPayload,
} from './service_decrypt.mjs';
import { PUBLISHED_PROFILE } from './service_profile.mjs';
import {
  checkCiphertextSize, findDecryptionVersion, findEncryptionVersion, openBlob, sealBlob,
} from './symmetric.mjs';

// 14.4: the error for `key_state` names the state, so the state is looked at first.
export function requireEnabled(version) {
  if (version.state !== 'Enabled') {
    throw new ApiError(`Rejected.${version.state}`);
  }
  return version;
}

const V1 = {
  parse: parseBlob,
  // 14.2 step 4: v1 names the key.
  resolve: (blob) => resolveKeyId(blob.keyId),
  // 5.6 steps 3 and 4.
  findSource: (keyring, blob) => {
    requireEnabled(keyring.find(blob.keyId, blob.keyVersionId));
    return findDecryptionVersion(keyring, blob);
  },
  // 5.5 steps 2 and 3.
  findDestination: (keyring, keyId) => {
    requireEnabled(keyring.primary(keyId));
    return findEncryptionVersion(keyring, keyId);
  },
  // 5.6 step 5.
  checkSize: checkCiphertextSize,
  // 5.6 step 6. An absent context is an empty one (section 4).
  open: (version, blob, pairs) => openBlob(version, blob, canonicalize(pairs ?? [])),
  // 5.5 steps 5 to 7.
  seal: (version, content, pairs) => sealBlob(version, content, canonicalize(pairs ?? [])),
  contentOf: (bytes) => bytes,
  bytesOf: (content) => content,
  // 14, "Opaque texts": in v1 `Plaintext` is Base64.
  textOf: encodeBase64,
};

const SERVICE = {
  parse: (bytes) => parseServiceBlob(bytes, PUBLISHED_PROFILE.prefix),
  // 14.2 step 4: the key is that of the key version, if there is one.
  resolve: (blob, keyring) => {
    const version = findServiceVersion(keyring, blob.keyVersionId);
    return resolveVersion(blob.keyVersionId, version === undefined ? null : version.keyId);
  },
  // 13.5 step 3. Section 14.2 step 6 has found the version.
  findSource: (keyring, blob) => {
    const version = requireEnabled(findServiceVersion(keyring, blob.keyVersionId));
    checkServiceVersion(version);
    return version;
  },
  // 13.5, "Sealing".
  findDestination: (keyring, keyId) => {
    const version = requireEnabled(keyring.primary(keyId));
    checkSealingVersion(version);
    return version;
  },
  // 13.5 step 4: the payload is moved or answered as it is.
  checkSize: checkPayloadSize,
  // 13.5 step 5. No context is not an empty one (13.3 step 1).
  open: (version, blob, pairs) => {
    return openPayload(version, blob, serviceAssociatedData(pairs ?? null, PUBLISHED_PROFILE));
  },
  seal: (version, content, pairs) => sealPayload(version, content, pairs ?? null),
  // 14, "Opaque texts": data keys, and what an asymmetric ciphertext has, are sealed as Base64.
  contentOf: (bytes) => Buffer.from(encodeBase64(bytes), 'latin1'),
  // 14, "Opaque texts": `ExportDataKey` decodes by section 13.5 step 6.
  bytesOf: decodePayload,
  // 14.2 step 7: a text to be answered that is not UTF-8.
  textOf: (content) => utf8Decode(content, 'decryption'),
};

// Section 14.6, `profile`.
export const LAYOUTS = new Map([
  ['v1', V1],
  ['service', SERVICE],
]);
