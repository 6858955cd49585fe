// Section 14.4: the errors of a response, and the response for each error of an operation.

// Section 14.4: HTTP status and message; `NAME` is replaced by the name of a parameter.
const ERRORS = new Map([
  ['MissingParameter', [400, 'The parameter "NAME" is needed but not provided.']],
  ['InvalidParameter', [400, 'The specified parameter "NAME" is not valid.']],
  ['Unsupported.Alias', [400, 'Alias is not valid for this api.']],
  ['UnsupportedOperation', [400, 'This action is not supported.']],
  ['Forbidden.NoPermission', [403, 'This operation is forbidden by permission system.']],
  ['Forbidden.KeyNotFound', [404, 'The specified Key is not found.']],
  ['Forbidden.KeyVersionNotFound', [404, 'The specified Key version is not found.']],
  ['Forbidden.AliasNotFound', [404, 'The specified Alias is not found.']],
  ['Rejected.Disabled', [409, 'The request was rejected because the key state is Disabled.']],
  [
    'Rejected.PendingDeletion',
    [409, 'The request was rejected because the key state is PendingDeletion.'],
  ],
  [
    'Rejected.PendingImport',
    [409, 'The request was rejected because the key state is PendingImport.'],
  ],
  ['DryRunOperationError', [400, 'The request would have succeeded, but DryRun is set.']],
]);

export class ApiError extends Error {
  // `name` is the parameter that the message names, if the message names one.
  constructor(code, name = '') {
    const [status, message] = ERRORS.get(code);
    super(message.replace('NAME', name));
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}

export function invalidParameter(name) {
  return new ApiError('InvalidParameter', name);
}

export function missingParameter(name) {
  return new ApiError('MissingParameter', name);
}

// Section 14.4: the errors of an operation, except `key_state` and `plaintext_size`.
const OPERATION_ERRORS = new Map([
  ['key_usage', () => new ApiError('UnsupportedOperation')],
  ['unsupported_algorithm', () => new ApiError('UnsupportedOperation')],
  ['key_not_found', () => new ApiError('Forbidden.KeyNotFound')],
  ['key_version_not_found', () => new ApiError('Forbidden.KeyVersionNotFound')],
  // 14.4: these three are one response.
  ['decryption', () => invalidParameter('CiphertextBlob')],
  ['invalid_blob', () => invalidParameter('CiphertextBlob')],
  ['incorrect_key', () => invalidParameter('CiphertextBlob')],
]);

// Section 14.4: the parameter with the wrong size, by action; else it is `CiphertextBlob`.
const SIZED_PARAMETERS = new Map([
  ['Encrypt', 'Plaintext'],
  ['AsymmetricEncrypt', 'Plaintext'],
  ['GenerateDataKey', 'NumberOfBytes'],
  ['GenerateDataKeyWithoutPlaintext', 'NumberOfBytes'],
  ['GenerateAndExportDataKey', 'NumberOfBytes'],
]);

// Gives the error of a response for the code of a KmsError.
export function operationError(code, action) {
  // 14.4: `plaintext_size` is that of the parameter with the wrong size.
  if (code === 'plaintext_size') {
    return invalidParameter(SIZED_PARAMETERS.get(action) ?? 'CiphertextBlob');
  }
  return OPERATION_ERRORS.get(code)();
}
