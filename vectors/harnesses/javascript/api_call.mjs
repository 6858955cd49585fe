// Section 14.2: a request from its parameters to its response, step by step.

import { ApiError, operationError } from './api_errors.mjs';
import { LAYOUTS } from './api_layouts.mjs';
import { OPERATIONS } from './api_operations.mjs';
import { readAction, readDryRun, readParameters } from './api_parameters.mjs';
import { permissionsOf, resolve } from './api_resolve.mjs';
import { authorize, notFound } from './api_resources.mjs';
import { KmsError } from './errors.mjs';

// 14.2 steps 5 and 6: all permissions come before the existence of anything.
function checkAccess(policy, request) {
  const permissions = permissionsOf(request);
  // 14.2 step 5.
  const isFound = permissions.map(([name, target]) => authorize(policy, name, target));
  // 14.2 step 6: the first that is not to be found.
  permissions.forEach(([, target], i) => {
    if (!isFound[i]) {
      throw notFound(target);
    }
  });
}

// 14.2 steps 4 to 8 for an action whose parameters are read.
function performAction(service, request) {
  // 14.2 step 4.
  const resolved = { ...request, ...resolve(request) };
  // 14.2 steps 5 and 6.
  checkAccess(service.policy, resolved);
  // 14.2 step 7.
  const { version, fields } = OPERATIONS.get(request.action)(resolved);
  // 14.2 step 8 and 14.5: the IDs of the key that was used.
  return { KeyId: version.keyId, KeyVersionId: version.keyVersionId, ...fields };
}

// Runs `perform`, and turns a KmsError into the error of a response (14.4).
function withApiErrors(action, perform) {
  try {
    return perform();
  } catch (error) {
    if (!(error instanceof KmsError)) {
      throw error;
    }
    throw operationError(error.code, action);
  }
}

// 14.2 steps 2 to 8.
function answerRequest(service, params, isDryRun) {
  const { keyring, aliases, profile } = service;
  // 14.2 step 2.
  const action = readAction(params);
  // 14.2 step 3.
  const values = readParameters(action, params, profile);
  const layout = LAYOUTS.get(profile);
  const request = { action, values, layout, keyring, aliases, isDryRun };
  return withApiErrors(action, () => performAction(service, request));
}

// 14.4, "Dry run": gives the code and the status of an error.
function disguise({ code, status }, isDryRun) {
  // 14.4: without a dry run, or for its success, the error is as it is.
  if (!isDryRun || code === 'DryRunOperationError') {
    return { code, status };
  }
  // 14.4: in place of `Forbidden.NoPermission`.
  if (code === 'Forbidden.NoPermission') {
    return { code: 'AccessDeniedError', status: 403 };
  }
  // 14.4: in place of every other.
  return { code: 'ValidationError', status: 400 };
}

// 14.5: gives the response of an error.
function errorResponse(error, isDryRun) {
  const { code, status } = disguise(error, isDryRun);
  const text = String(status);
  return { status: text, HttpStatus: text, Code: code, Message: error.message };
}

// Runs `perform`; an ApiError becomes a response.
function respond(perform, isDryRun) {
  try {
    return perform();
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    return errorResponse(error, isDryRun);
  }
}

// Section 14: gives the response to the parameters, a map of texts. `service` is { keyring,
// aliases, policy, profile, requestId }.
export function callApi(service, params) {
  // 14.2 step 1 and 14.4: an error of step 1 is not one of a dry run.
  const response = respond(() => {
    const isDryRun = readDryRun(params);
    return respond(() => {
      return { status: '200', ...answerRequest(service, params, isDryRun) };
    }, isDryRun);
  }, false);
  return { ...response, RequestId: service.requestId };
}
