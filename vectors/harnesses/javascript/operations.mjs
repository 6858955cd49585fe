// Section 11.2: the operations of sections 3 to 8, with the texts of the vectors in and out.
//
// An operation takes the inputs of a question and gives its outputs, or fails with a KmsError.

import { asymmetricDecrypt, checkAlgorithmFits } from './asymmetric.mjs';
import { parseBlob, parseBlobBase64 } from './blob.mjs';
import { fromHex, toHex, u8 } from './bytes.mjs';
import { canonicalize, parseContext } from './context.mjs';
import { bytesToInteger } from './integers.mjs';
import { Keyring } from './keyring.mjs';
import { parsePublicKey } from './public_keys.mjs';
import { reencrypt } from './reencrypt.mjs';
import { checkSm2MessageSize, convertSm2, sm2EncryptWithK } from './sm2.mjs';
import { decrypt, encrypt } from './symmetric.mjs';

const ONLY_KEY_ID = 'key';
const ONLY_KEY_VERSION_ID = 'v1';

function parseBlobOperation({ blob }) {
  const fields = parseBlob(fromHex(blob));
  return {
    suite_id: toHex(u8(fields.suiteId)),
    key_id: fields.keyId,
    key_version_id: fields.keyVersionId,
    iv: toHex(fields.iv),
    ciphertext: toHex(fields.ciphertext),
    tag: toHex(fields.tag),
  };
}

function parseBlobBase64Operation({ text }) {
  return { blob: toHex(parseBlobBase64(text).blob) };
}

function canonicalizeOperation({ pairs }) {
  return { canonical: toHex(canonicalize(pairs)) };
}

function canonicalizeJsonOperation({ json }) {
  return { canonical: toHex(canonicalize(parseContext(json))) };
}

// 11.2: the one key there is, which is checked as the entry of a keyring.
function keyringOfOne(inputs) {
  return new Keyring([{ ...inputs, state: 'Enabled' }]);
}

// `drawIv` gives the IV; in the vectors it is the one of the question.
export function encryptOperation(inputs, drawIv = () => fromHex(inputs.iv)) {
  const keyring = keyringOfOne(inputs);
  const plaintext = fromHex(inputs.plaintext);
  return { blob: toHex(encrypt(keyring, inputs.key_id, plaintext, inputs.pairs, drawIv)) };
}

function decryptOperation(inputs) {
  const plaintext = decrypt(keyringOfOne(inputs), fromHex(inputs.blob), inputs.pairs);
  return { plaintext: toHex(plaintext) };
}

function asymmetricDecryptOperation({ algorithm, key_spec, private_key, ciphertext }) {
  const entry = { key_id: ONLY_KEY_ID, key_version_id: ONLY_KEY_VERSION_ID, state: 'Enabled' };
  const keyring = new Keyring([{ ...entry, key_spec, private_key }]);
  const ids = [ONLY_KEY_ID, ONLY_KEY_VERSION_ID];
  const plaintext = asymmetricDecrypt(keyring, ...ids, algorithm, fromHex(ciphertext));
  return { plaintext: toHex(plaintext) };
}

function sm2ConvertOperation({ source, target, ciphertext }) {
  return { converted: toHex(convertSm2(source, target, fromHex(ciphertext))) };
}

function sm2EncryptOperation(inputs) {
  const { keySpec, point } = parsePublicKey(fromHex(inputs.public_key));
  checkAlgorithmFits('SM2PKE', keySpec);
  const message = fromHex(inputs.plaintext);
  checkSm2MessageSize(message);
  const ciphertext = sm2EncryptWithK(point, message, bytesToInteger(fromHex(inputs.k)));
  // 10: a k that leads to step 5 of section 7.4 is rejected and not replaced.
  if (ciphertext === undefined) {
    throw new RangeError('k gives a key stream of zeros');
  }
  return { ciphertext: toHex(ciphertext) };
}

export function reencryptOperation(inputs, drawIv = () => fromHex(inputs.iv)) {
  const keyring = new Keyring(inputs.keys);
  const request = {
    source: fromHex(inputs.ciphertext_blob),
    destinationKeyId: inputs.destination_key_id,
    sourcePairs: inputs.source_pairs,
    destinationPairs: inputs.destination_pairs,
    sourceKeyId: inputs.source_key_id,
    sourceKeyVersionId: inputs.source_key_version_id,
    sourceAlgorithm: inputs.source_algorithm,
    isDryRun: inputs.dry_run,
  };
  const result = reencrypt(keyring, request, drawIv);
  const response = {
    ciphertext_blob: result.blob === null ? null : toHex(result.blob),
    source_key_id: result.sourceVersion.keyId,
    source_key_version_id: result.sourceVersion.keyVersionId,
    destination_key_id: result.destinationVersion.keyId,
    destination_key_version_id: result.destinationVersion.keyVersionId,
    source_algorithm: inputs.source_algorithm,
    destination_suite_id: toHex(u8(result.destinationVersion.suiteId)),
  };
  return { response };
}

export const CORE_OPERATIONS = {
  parse_blob: parseBlobOperation,
  parse_blob_base64: parseBlobBase64Operation,
  canonicalize: canonicalizeOperation,
  canonicalize_json: canonicalizeJsonOperation,
  encrypt: (inputs) => encryptOperation(inputs),
  decrypt: decryptOperation,
  asymmetric_decrypt: asymmetricDecryptOperation,
  sm2_convert: sm2ConvertOperation,
  sm2_encrypt: sm2EncryptOperation,
  reencrypt: (inputs) => reencryptOperation(inputs),
};
