// Section 14.2 step 7 and section 14.5: the nine operations and the fields of their responses.
//
// A request is { keyring, layout, values, blob, key, destination, aliases, isDryRun }. An operation
// gives { version, fields }: the key version that was used, and the fields that are its own.

import { randomBytes } from 'node:crypto';

import { ApiError } from './api_errors.mjs';
import { requireEnabled } from './api_layouts.mjs';
import { resolveText } from './api_resources.mjs';
import {
  asymmetricEncrypt, checkMessageSize, findAsymmetricVersion, openBare,
} from './asymmetric.mjs';
import { encodeBase64 } from './bytes.mjs';
import { KmsError } from './errors.mjs';

const DEFAULT_DATA_KEY_BYTES = 32;

// 14.2 step 7 and 14.4: a dry run ends before anything is drawn, sealed or answered.
function endDryRun({ isDryRun }) {
  if (isDryRun) {
    throw new ApiError('DryRunOperationError');
  }
}

// 5.6 or 13.5: opens the blob of a request and gives { version, content }.
function openSource(request, pairs) {
  const { keyring, layout, blob } = request;
  const version = layout.findSource(keyring, blob);
  layout.checkSize(blob);
  return { version, content: layout.open(version, blob, pairs) };
}

function encrypt(request) {
  const { keyring, layout, values, key } = request;
  const version = layout.findDestination(keyring, key.keyId);
  endDryRun(request);
  const blob = layout.seal(version, values.Plaintext, values.EncryptionContext);
  return { version, fields: { CiphertextBlob: encodeBase64(blob) } };
}

function decrypt(request) {
  const { version, content } = openSource(request, request.values.EncryptionContext);
  const text = request.layout.textOf(content);
  endDryRun(request);
  return { version, fields: { Plaintext: text } };
}

// 14.1: `NumberOfBytes` outweighs `KeySpec`; without both a data key has 32 bytes.
function dataKeyBytes({ NumberOfBytes, KeySpec }) {
  return NumberOfBytes ?? KeySpec ?? DEFAULT_DATA_KEY_BYTES;
}

// Draws a data key and gives it with its blob.
function generate({ layout, values }, version) {
  const dataKey = randomBytes(dataKeyBytes(values));
  const blob = layout.seal(version, layout.contentOf(dataKey), values.EncryptionContext);
  return { dataKey, blob };
}

function generateDataKey(request) {
  const version = request.layout.findDestination(request.keyring, request.key.keyId);
  endDryRun(request);
  const { dataKey, blob } = generate(request, version);
  const fields = { CiphertextBlob: encodeBase64(blob), Plaintext: encodeBase64(dataKey) };
  return { version, fields };
}

function generateDataKeyWithoutPlaintext(request) {
  const { version, fields } = generateDataKey(request);
  return { version, fields: { CiphertextBlob: fields.CiphertextBlob } };
}

function wrap({ WrappingAlgorithm, PublicKeyBlob }, dataKey) {
  return encodeBase64(asymmetricEncrypt(WrappingAlgorithm, PublicKeyBlob, dataKey));
}

function exportDataKey(request) {
  const { layout, values } = request;
  const { version, content } = openSource(request, values.EncryptionContext);
  const dataKey = layout.bytesOf(content);
  // 6.1 step 2 and 7.4 step 1: the data key fits the wrapping key.
  checkMessageSize(values.WrappingAlgorithm, values.PublicKeyBlob, dataKey);
  endDryRun(request);
  return { version, fields: { ExportedDataKey: wrap(values, dataKey) } };
}

function generateAndExportDataKey(request) {
  const { layout, values } = request;
  const version = layout.findDestination(request.keyring, request.key.keyId);
  // 6.1 step 2 and 7.4 step 1: a data key of that length fits the wrapping key.
  const sample = Buffer.alloc(dataKeyBytes(values));
  checkMessageSize(values.WrappingAlgorithm, values.PublicKeyBlob, sample);
  endDryRun(request);
  const { dataKey, blob } = generate(request, version);
  const fields = { CiphertextBlob: encodeBase64(blob), ExportedDataKey: wrap(values, dataKey) };
  return { version, fields };
}

// 6.1 step 1 and 6.2 step 2: gives the key version, enabled and fit for the algorithm.
function findAsymmetric(keyring, keyId, keyVersionId, algorithm) {
  requireEnabled(keyring.find(keyId, keyVersionId));
  return findAsymmetricVersion(keyring, keyId, keyVersionId, algorithm);
}

function encryptAsymmetrically(request) {
  const { keyring, values, key } = request;
  const version = findAsymmetric(keyring, key.keyId, values.KeyVersionId, values.Algorithm);
  // 6.1 step 2 and 7.4 step 1.
  checkMessageSize(values.Algorithm, version.privateKey, values.Plaintext);
  endDryRun(request);
  const ciphertext = asymmetricEncrypt(values.Algorithm, version.privateKey, values.Plaintext);
  return { version, fields: { CiphertextBlob: encodeBase64(ciphertext) } };
}

function decryptAsymmetrically(request) {
  const { keyring, values, key } = request;
  const version = findAsymmetric(keyring, key.keyId, values.KeyVersionId, values.Algorithm);
  const plaintext = openBare(values.Algorithm, version.privateKey, values.CiphertextBlob);
  endDryRun(request);
  return { version, fields: { Plaintext: encodeBase64(plaintext) } };
}

// 8 step 4: the source IDs that are given are those of the blob.
function checkSourceIds({ values, blob, key, aliases }) {
  const { SourceKeyId, SourceKeyVersionId } = values;
  // 14.2 step 7: compared by the key ID that it denotes; one that denotes none is another.
  if (SourceKeyId !== undefined && resolveText(SourceKeyId, aliases).keyId !== key.keyId) {
    throw new KmsError('incorrect_key');
  }
  // 8 step 4: the key version ID.
  if (SourceKeyVersionId !== undefined && SourceKeyVersionId !== blob.keyVersionId) {
    throw new KmsError('incorrect_key');
  }
}

// 8 steps 5 to 8 for a bare ciphertext: gives { version, destination, content }.
function openBareSource({ keyring, layout, values, key, destination: target }) {
  const algorithm = values.SourceEncryptionAlgorithm;
  const version = findAsymmetric(keyring, key.keyId, values.SourceKeyVersionId, algorithm);
  // 8 step 6.
  const destination = layout.findDestination(keyring, target.keyId);
  const plaintext = openBare(algorithm, version.privateKey, values.CiphertextBlob);
  return { version, destination, content: layout.contentOf(plaintext) };
}

// 8 steps 4 to 8 for a blob: gives { version, destination, content }.
function openBlobSource(request) {
  const { keyring, layout, values, blob } = request;
  checkSourceIds(request);
  const version = layout.findSource(keyring, blob);
  // 8 step 6: before the source is opened.
  const destination = layout.findDestination(keyring, request.destination.keyId);
  // 8 step 7.
  layout.checkSize(blob);
  const content = layout.open(version, blob, values.SourceEncryptionContext);
  return { version, destination, content };
}

function reEncrypt(request) {
  const { layout, values, blob: sourceBlob } = request;
  const isBare = sourceBlob === undefined;
  const { version, destination, content } = (isBare ? openBareSource : openBlobSource)(request);
  // 8 step 9.
  endDryRun(request);
  const blob = layout.seal(destination, content, values.DestinationEncryptionContext);
  return { version, fields: { CiphertextBlob: encodeBase64(blob) } };
}

export const OPERATIONS = new Map([
  ['ReEncrypt', reEncrypt],
  ['Encrypt', encrypt],
  ['Decrypt', decrypt],
  ['GenerateDataKey', generateDataKey],
  ['GenerateDataKeyWithoutPlaintext', generateDataKeyWithoutPlaintext],
  ['ExportDataKey', exportDataKey],
  ['GenerateAndExportDataKey', generateAndExportDataKey],
  ['AsymmetricEncrypt', encryptAsymmetrically],
  ['AsymmetricDecrypt', decryptAsymmetrically],
]);
