// Section 14.2 step 4: the keys that a request means.

import { ApiError, invalidParameter, missingParameter } from './api_errors.mjs';
import { isAlias, resolveText } from './api_resources.mjs';

// 14.2 step 4: what a source algorithm needs.
function checkBareSource(values) {
  // 14.2 step 4: `SourceKeyId` is there.
  if (values.SourceKeyId === undefined) {
    throw missingParameter('SourceKeyId');
  }
  // 14.2 step 4: `SourceKeyVersionId` is there.
  if (values.SourceKeyVersionId === undefined) {
    throw missingParameter('SourceKeyVersionId');
  }
  // 14.2 step 4: `SourceEncryptionContext` has no pair.
  if ((values.SourceEncryptionContext ?? []).length > 0) {
    throw invalidParameter('SourceEncryptionContext');
  }
}

// 14.2 step 4: `SourceKeyId` and `DestinationKeyId` are not aliases.
function rejectAliases(values) {
  for (const text of [values.SourceKeyId, values.DestinationKeyId]) {
    if (text !== undefined && isAlias(text)) {
      throw new ApiError('Unsupported.Alias');
    }
  }
}

// 14.2 step 4: the blob names the key; one that does not parse is a KmsError.
function resolveBlob({ values, layout, keyring }) {
  const blob = layout.parse(values.CiphertextBlob);
  return { blob, key: layout.resolve(blob, keyring) };
}

function resolveReEncrypt(request) {
  const { values, aliases } = request;
  const isBare = values.SourceEncryptionAlgorithm !== undefined;
  if (isBare) {
    checkBareSource(values);
  }
  rejectAliases(values);
  const source = isBare ? { key: resolveText(values.SourceKeyId, aliases) } : resolveBlob(request);
  return { ...source, destination: resolveText(values.DestinationKeyId, aliases) };
}

// Gives { key } and, if they are there, { blob, destination }; `key` opens in `ReEncrypt`.
export function resolve(request) {
  if (request.action === 'ReEncrypt') {
    return resolveReEncrypt(request);
  }
  if (request.action === 'Decrypt' || request.action === 'ExportDataKey') {
    return resolveBlob(request);
  }
  return { key: resolveText(request.values.KeyId, request.aliases) };
}

// Section 14.3: the permissions that an action needs, in their order, each with its target.
export function permissionsOf({ action, key, destination }) {
  if (action === 'ReEncrypt') {
    return [
      ['kms:ReEncryptFrom', key],
      ['kms:ReEncryptTo', destination],
    ];
  }
  return [[`kms:${action}`, key]];
}
