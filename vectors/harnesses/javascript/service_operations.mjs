// Section 11.2: the operations of sections 13 and 14, with the texts of the vectors in and out.
//
// An operation takes the inputs of a question and gives its outputs, or fails with a KmsError.

import { callApi } from './api_call.mjs';
import { readPolicy } from './api_policy.mjs';
import { fromHex, toHex } from './bytes.mjs';
import { KmsError } from './errors.mjs';
import { Keyring } from './keyring.mjs';
import { readRequest } from './requests.mjs';
import { parseServiceBlob } from './service_blob.mjs';
import { collisions } from './service_collisions.mjs';
import { isAmbiguous, serviceAssociatedData } from './service_context.mjs';
import { decryptServiceBlob } from './service_decrypt.mjs';
import { readProfile } from './service_profile.mjs';
import { verifyRequest } from './signatures.mjs';

function parseServiceBlobOperation(inputs) {
  const blob = parseServiceBlob(fromHex(inputs.blob), readProfile(inputs).prefix);
  return {
    key_version_id: blob.keyVersionId,
    iv: toHex(blob.iv),
    ciphertext: toHex(blob.ciphertext),
    tag: toHex(blob.tag),
  };
}

function serviceAssociatedDataOperation(inputs) {
  return { associated_data: toHex(serviceAssociatedData(inputs.pairs, readProfile(inputs))) };
}

function isAmbiguousOperation({ pairs }) {
  return { ambiguous: String(isAmbiguous(pairs)) };
}

function collisionsOperation({ pairs, sort_order }) {
  return { collisions: collisions(pairs, sort_order).join(',') };
}

function serviceDecryptOperation(inputs) {
  const keyring = new Keyring([{ ...inputs, state: 'Enabled' }]);
  const plaintext = decryptServiceBlob(
    keyring,
    fromHex(inputs.blob),
    inputs.pairs,
    readProfile(inputs),
    inputs.allow_ambiguous,
  );
  return { plaintext: toHex(plaintext) };
}

function apiCallOperation(inputs) {
  const service = {
    keyring: new Keyring(inputs.keys),
    aliases: inputs.aliases,
    policy: readPolicy(inputs.policy),
    profile: inputs.profile,
    requestId: inputs.request_id,
  };
  return { response: callApi(service, new Map(Object.entries(inputs.params))) };
}

// 14.7: gives the outputs for a request that is verified.
function verifiedOutputs(inputs) {
  const request = readRequest({ ...inputs, body: fromHex(inputs.body) });
  const { accessKeyId, scheme, securityToken, parameters } = verifyRequest(request, {
    accessKeys: inputs.access_keys,
    now: inputs.now,
    isFresh: inputs.is_fresh,
  });
  const token = securityToken === undefined ? {} : { security_token: securityToken };
  return {
    verified: { code: 'OK', access_key_id: accessKeyId, scheme, ...token },
    parameters: Object.fromEntries(parameters),
  };
}

// 14.7: a rejection is an answer too.
function verifyRequestOperation(inputs) {
  try {
    return verifiedOutputs(inputs);
  } catch (error) {
    if (!(error instanceof KmsError)) {
      throw error;
    }
    return { verified: { code: error.code }, parameters: {} };
  }
}

export const SERVICE_OPERATIONS = {
  parse_service_blob: parseServiceBlobOperation,
  service_associated_data: serviceAssociatedDataOperation,
  is_ambiguous: isAmbiguousOperation,
  collisions: collisionsOperation,
  service_decrypt: serviceDecryptOperation,
  api_call: apiCallOperation,
  verify_request: verifyRequestOperation,
};
