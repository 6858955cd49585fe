// Sections 6 and 7: asymmetric encryption and decryption by the name of an algorithm.
//
// A public key is { keySpec } with { n, e } or { point }; a private key has these fields too.

import { KmsError } from './errors.mjs';
import { checkOaepMessageSize, oaepDecrypt, oaepEncrypt } from './oaep.mjs';
import { checkSm2MessageSize, sm2Decrypt, sm2Encrypt } from './sm2.mjs';
import { ALGORITHMS } from './suites.mjs';

// 6.1 step 1, 6.2 step 1 and 8 step 1: the algorithm is known. There is no default.
export function checkAlgorithm(algorithm) {
  if (!ALGORITHMS.has(algorithm)) {
    throw new KmsError('unsupported_algorithm');
  }
}

// 6.1 step 1 and 6.2 step 2: the algorithm fits the key; no algorithm fits a symmetric key.
export function checkAlgorithmFits(algorithm, keySpec) {
  if (!ALGORITHMS.get(algorithm).keySpecs.includes(keySpec)) {
    throw new KmsError('key_usage');
  }
}

// 6.1 step 2 and 7.4 step 1: the size of a message.
export function checkMessageSize(algorithm, publicKey, message) {
  if (algorithm === 'SM2PKE') {
    checkSm2MessageSize(message);
  } else {
    checkOaepMessageSize(publicKey, ALGORITHMS.get(algorithm), message);
  }
}

// Sections 6.1 and 7.4: gives the ciphertext.
export function asymmetricEncrypt(algorithm, publicKey, message) {
  checkAlgorithm(algorithm);
  checkAlgorithmFits(algorithm, publicKey.keySpec);
  if (algorithm === 'SM2PKE') {
    return sm2Encrypt(publicKey.point, message);
  }
  return oaepEncrypt(publicKey, ALGORITHMS.get(algorithm), message);
}

// 6.2 step 2: gives the key version, enabled and fit for the algorithm.
export function findAsymmetricVersion(keyring, keyId, keyVersionId, algorithm) {
  const version = keyring.find(keyId, keyVersionId);
  // 5.6 step 4: the key version is enabled.
  if (version.state !== 'Enabled') {
    throw new KmsError('key_state');
  }
  checkAlgorithmFits(algorithm, version.keySpec);
  return version;
}

// 6.2 steps 3 to 6, or 7.5 steps 2 to 7: every failure is `decryption`.
export function openBare(algorithm, privateKey, ciphertext) {
  if (algorithm === 'SM2PKE') {
    return sm2Decrypt(privateKey, ciphertext);
  }
  return oaepDecrypt(privateKey, ALGORITHMS.get(algorithm), ciphertext);
}

// Sections 6.2 and 7.5: gives the message.
export function asymmetricDecrypt(keyring, keyId, keyVersionId, algorithm, ciphertext) {
  // 6.2 step 1.
  checkAlgorithm(algorithm);
  // 6.2 step 2.
  const version = findAsymmetricVersion(keyring, keyId, keyVersionId, algorithm);
  return openBare(algorithm, version.privateKey, ciphertext);
}
