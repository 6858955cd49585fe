// Section 8: re-encryption. The first step that fails decides the error.

import { checkAlgorithm, findAsymmetricVersion, openBare } from './asymmetric.mjs';
import { parseBlob } from './blob.mjs';
import { canonicalize } from './context.mjs';
import { KmsError } from './errors.mjs';
import {
  checkCiphertextSize, findDecryptionVersion, findEncryptionVersion, openBlob, sealBlob,
} from './symmetric.mjs';

// Section 8: null or undefined is absent.
function isAbsent(value) {
  return value === null || value === undefined;
}

function checkSourceId(given, named) {
  // 8 step 4: a source ID that is given is the header's.
  if (!isAbsent(given) && given !== named) {
    throw new KmsError('incorrect_key');
  }
}

// Section 8: the source is a blob. `request` as in reencrypt().
function blobSource(request) {
  // 8 step 2.
  const blob = parseBlob(request.source);
  return {
    checkContext: () => {},
    // 8 steps 4 and 5.
    findVersion: (keyring) => {
      checkSourceId(request.sourceKeyId, blob.keyId);
      checkSourceId(request.sourceKeyVersionId, blob.keyVersionId);
      return findDecryptionVersion(keyring, blob);
    },
    // 8 step 7.
    checkSize: () => checkCiphertextSize(blob),
    // 8 step 8.
    open: (version, canonicalContext) => openBlob(version, blob, canonicalContext),
  };
}

// Section 8: the source is a bare ciphertext, which is not looked at before step 8.
function bareSource({ source, sourceKeyId, sourceKeyVersionId, sourceAlgorithm }) {
  // Section 8: both source IDs are required; without them the caller is mistaken.
  if (isAbsent(sourceKeyId) || isAbsent(sourceKeyVersionId)) {
    throw new TypeError('a bare ciphertext needs both source IDs');
  }
  // 8 step 1.
  checkAlgorithm(sourceAlgorithm);
  return {
    // 8 step 3: a bare ciphertext has no context.
    checkContext: (canonicalContext) => {
      if (canonicalContext.length !== 0) {
        throw new KmsError('invalid_context');
      }
    },
    // 8 step 5.
    findVersion: (keyring) =>
      findAsymmetricVersion(keyring, sourceKeyId, sourceKeyVersionId, sourceAlgorithm),
    checkSize: () => {},
    // 8 step 8.
    open: (version) => openBare(sourceAlgorithm, version.privateKey, source),
  };
}

// Takes { source, destinationKeyId, sourcePairs, destinationPairs, sourceKeyId,
// sourceKeyVersionId, sourceAlgorithm, isDryRun }, and gives { blob, sourceVersion,
// destinationVersion }, the blob being null in a dry run.
export function reencrypt(keyring, request, drawIv) {
  // 8 steps 1 and 2.
  const source = isAbsent(request.sourceAlgorithm) ? blobSource(request) : bareSource(request);
  // 8 step 3: the source context, then the destination context; absent is empty.
  const sourceContext = canonicalize(request.sourcePairs ?? []);
  const destinationContext = canonicalize(request.destinationPairs ?? []);
  source.checkContext(sourceContext);
  // 8 steps 4 and 5.
  const sourceVersion = source.findVersion(keyring);
  // 8 step 6: before the source is opened.
  const destinationVersion = findEncryptionVersion(keyring, request.destinationKeyId);
  // 8 step 7.
  source.checkSize();
  // 8 step 8.
  const plaintext = source.open(sourceVersion, sourceContext);
  // 8 step 9: a dry run differs in nothing else.
  if (request.isDryRun) {
    return { blob: null, sourceVersion, destinationVersion };
  }
  // 8 step 10.
  const blob = sealBlob(destinationVersion, plaintext, destinationContext, drawIv);
  return { blob, sourceVersion, destinationVersion };
}
