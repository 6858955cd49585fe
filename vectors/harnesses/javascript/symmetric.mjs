// Section 5: symmetric encryption to blobs and decryption of them.
//
// Versions are those of a keyring. `drawIv` takes a number of bytes; only the vectors give another
// one than the system's random source (section 10).

import { randomBytes } from 'node:crypto';

import { aesBlockCipher } from './aes.mjs';
import { MAX_PLAINTEXT_BYTES, parseBlob, serializeBlob, serializeHeader } from './blob.mjs';
import { concat } from './bytes.mjs';
import { canonicalize } from './context.mjs';
import { KmsError } from './errors.mjs';
import { gcmOpen, gcmSeal } from './gcm.mjs';
import { sm4BlockCipher } from './sm4.mjs';
import { isSymmetricSpec, SUITES } from './suites.mjs';
import { deriveXaes } from './xaes.mjs';

// Section 5.1: the block cipher and the IV that GCM gets in a suite.
function prepare(suiteId, key, iv) {
  const { cipher, keyLength, ivLength } = SUITES.get(suiteId);
  if (key.length !== keyLength || iv.length !== ivLength) {
    throw new RangeError('the key or the IV does not fit the suite');
  }
  if (cipher === 'sm4') {
    return { encryptBlocks: sm4BlockCipher(key), gcmIv: iv };
  }
  if (cipher === 'aes') {
    return { encryptBlocks: aesBlockCipher(key), gcmIv: iv };
  }
  const derived = deriveXaes(key, iv);
  return { encryptBlocks: aesBlockCipher(derived.key), gcmIv: derived.iv };
}

// Sections 5.3 and 5.4: gives { ciphertext, tag }.
export function seal(suiteId, key, iv, plaintext, aad) {
  const { encryptBlocks, gcmIv } = prepare(suiteId, key, iv);
  return gcmSeal(encryptBlocks, gcmIv, plaintext, aad);
}

// Sections 5.3 and 5.4: gives the plaintext, or fails with `decryption`.
export function open(suiteId, key, iv, ciphertext, tag, aad) {
  const { encryptBlocks, gcmIv } = prepare(suiteId, key, iv);
  return gcmOpen(encryptBlocks, gcmIv, ciphertext, tag, aad);
}

// Sections 5.5 step 3 and 5.6 step 4.
function checkEnabledAndSymmetric(version) {
  // The key version is enabled.
  if (version.state !== 'Enabled') {
    throw new KmsError('key_state');
  }
  // It is symmetric.
  if (!isSymmetricSpec(version.keySpec)) {
    throw new KmsError('key_usage');
  }
}

// 5.5 steps 2 and 3: gives the version that encrypts.
export function findEncryptionVersion(keyring, keyId) {
  const version = keyring.primary(keyId);
  checkEnabledAndSymmetric(version);
  return version;
}

// 5.6 steps 3 and 4: gives the version that the header names.
export function findDecryptionVersion(keyring, blob) {
  const version = keyring.find(blob.keyId, blob.keyVersionId);
  checkEnabledAndSymmetric(version);
  // 5.6 step 4: it is bound to the suite of the header.
  if (version.suiteId !== blob.suiteId) {
    throw new KmsError('incorrect_key');
  }
  return version;
}

function checkPlaintextSize(plaintext) {
  // 5.5 step 4: too long a plaintext; the empty one is not too short.
  if (plaintext.length > MAX_PLAINTEXT_BYTES) {
    throw new KmsError('plaintext_size');
  }
}

export function checkCiphertextSize(blob) {
  // 5.6 step 5: before anything is decrypted.
  if (blob.ciphertext.length > MAX_PLAINTEXT_BYTES) {
    throw new KmsError('plaintext_size');
  }
}

// 5.5 steps 5 to 7.
export function sealBlob(version, plaintext, canonicalContext, drawIv = randomBytes) {
  const { suiteId, keyId, keyVersionId, key } = version;
  // 5.5 step 5.
  const iv = drawIv(SUITES.get(suiteId).ivLength);
  // 5.5 step 6 and 5.2.
  const aad = concat(serializeHeader(version), canonicalContext);
  // 5.5 step 7.
  const { ciphertext, tag } = seal(suiteId, key, iv, plaintext, aad);
  return serializeBlob({ suiteId, keyId, keyVersionId, iv, ciphertext, tag });
}

// 5.6 step 6: the associated data begins with the blob's own header bytes.
export function openBlob(version, blob, canonicalContext) {
  const aad = concat(blob.header, canonicalContext);
  return open(version.suiteId, version.key, blob.iv, blob.ciphertext, blob.tag, aad);
}

// Section 5.5: gives the blob.
export function encrypt(keyring, keyId, plaintext, pairs, drawIv = randomBytes) {
  // 5.5 step 1.
  const canonicalContext = canonicalize(pairs);
  // 5.5 steps 2 and 3.
  const version = findEncryptionVersion(keyring, keyId);
  // 5.5 step 4.
  checkPlaintextSize(plaintext);
  // 5.5 steps 5 to 7.
  return sealBlob(version, plaintext, canonicalContext, drawIv);
}

// Section 5.6: gives the plaintext.
export function decrypt(keyring, bytes, pairs) {
  // 5.6 step 1.
  const blob = parseBlob(bytes);
  // 5.6 step 2.
  const canonicalContext = canonicalize(pairs);
  // 5.6 steps 3 and 4.
  const version = findDecryptionVersion(keyring, blob);
  // 5.6 step 5.
  checkCiphertextSize(blob);
  // 5.6 step 6.
  return openBlob(version, blob, canonicalContext);
}
