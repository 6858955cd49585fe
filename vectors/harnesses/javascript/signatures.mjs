// Section 14.7, "Verifying": the two schemes. A rejection is a KmsError with its code.

import { createHash, createHmac } from 'node:crypto';

import { equalConstantTime } from './bytes.mjs';
import { KmsError } from './errors.mjs';
import { canonicalQuery, enc } from './form.mjs';
import { FORM_TYPE } from './requests.mjs';

const ACS3 = 'ACS3-HMAC-SHA256';
const MAX_NONCE_BYTES = 128;
const MAX_SKEW_SECONDS = 15 * 60;
const ACCESS_KEY_ID = /^[\x21-\x2b\x2d-\x7e]{1,128}$/;
const AUTHORIZATION =
  /^ACS3-HMAC-SHA256 Credential=[^,]*, ?SignedHeaders=([^,]*), ?Signature=([0-9a-f]{64})$/;
const CREDENTIAL = /^[A-Z0-9-]+ Credential=([^,]*)/;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/;

// 14.7: headers that are signed in any case.
const NEEDED_HEADERS = [
  'host',
  'x-acs-action',
  'x-acs-content-sha256',
  'x-acs-date',
  'x-acs-signature-nonce',
  'x-acs-version',
];

// 14.7: parameters of RPC 1.0 that are needed.
const NEEDED_PARAMETERS = ['Action', 'Version', 'Timestamp', 'Signature', 'SignatureNonce'];

// 14.7: the hash of each SignatureMethod.
const SIGNATURE_METHODS = new Map([
  ['HMAC-SHA1', 'sha1'],
  ['HMAC-SHA256', 'sha256'],
]);

// 14.7: the characters of a signature of each SignatureMethod.
const SIGNATURE_LENGTHS = new Map([
  ['HMAC-SHA1', 28],
  ['HMAC-SHA256', 44],
]);

function reject(code) {
  throw new KmsError(code);
}

// 14.7 "Verifying" step 1: gives the secret of an access key ID.
function findSecret(accessKeyId, accessKeys) {
  // 14.7 step 1: no access key, or an empty ID.
  if (!accessKeyId) {
    reject('IncompleteSignature');
  }
  // 14.7 step 1: 1 to 128 visible ASCII characters without comma.
  if (!ACCESS_KEY_ID.test(accessKeyId)) {
    reject('InvalidAccessKeyId.NotFound');
  }
  // 14.7 step 1: an ID that is unknown.
  if (!Object.hasOwn(accessKeys, accessKeyId)) {
    reject('InvalidAccessKeyId.NotFound');
  }
  // 14.7 step 1: an empty secret.
  if (accessKeys[accessKeyId] === '') {
    reject('InvalidAccessKeyId.NotFound');
  }
  return accessKeys[accessKeyId];
}

// 14.7 "Verifying" step 2: a nonce has 1 to 128 bytes in UTF-8.
function checkNonceForm(nonce) {
  const length = Buffer.byteLength(nonce, 'utf8');
  if (length < 1 || length > MAX_NONCE_BYTES) {
    reject('IncompleteSignature');
  }
}

// 14.7 "Verifying" step 3: the signature, compared in constant time.
function checkSignature(given, computed) {
  if (!equalConstantTime(Buffer.from(given, 'utf8'), Buffer.from(computed, 'utf8'))) {
    reject('SignatureDoesNotMatch');
  }
}

// Gives the seconds since 1970 of a date, or NaN for a text that is not a date.
function readDate(text) {
  const milliseconds = DATE.test(text) ? Date.parse(text) : NaN;
  // A day or an hour that the calendar does not have is not the one that is written.
  const isWritten = new Date(milliseconds).toJSON() === text.replace('Z', '.000Z');
  return isWritten ? milliseconds / 1000 : NaN;
}

// 14.7 "Verifying" step 4: a date, at most 15 minutes from `now` on either side.
function checkDate(text, now) {
  const seconds = readDate(text);
  // 14.7 step 4: another form, or a date that the calendar does not have.
  if (Number.isNaN(seconds)) {
    reject('InvalidTimeStamp.Expired');
  }
  // 14.7 step 4: too early or too late.
  if (Math.abs(seconds - readDate(now)) > MAX_SKEW_SECONDS) {
    reject('InvalidTimeStamp.Expired');
  }
}

// 14.7 "Verifying" step 5: the nonce is new for this access key.
function checkNonce(isFresh) {
  if (!isFresh) {
    reject('SignatureNonceUsed');
  }
}

// 14.7, ACS3: tells whether a header that is there has to be among the signed ones.
function isSignedHeader(name, body) {
  return name.startsWith('x-acs-') || (name === 'content-type' && body.length > 0);
}

// 14.7, ACS3: checks NAMES, and gives them as a list.
function readSignedHeaders(text, { headers, body }) {
  const names = text.split(';');
  // 14.7: names of headers in lower case that are there.
  if (!names.every((name) => headers.has(name))) {
    reject('IncompleteSignature');
  }
  // 14.7: sorted, without repetition.
  if (!names.every((name, i) => i === 0 || names[i - 1] < name)) {
    reject('IncompleteSignature');
  }
  // 14.7: these six are among them.
  if (!NEEDED_HEADERS.every((name) => names.includes(name))) {
    reject('IncompleteSignature');
  }
  // 14.7: every other `x-acs-` header that is there, and `content-type` unless the body is empty.
  const needed = [...headers.keys()].filter((name) => isSignedHeader(name, body));
  if (!needed.every((name) => names.includes(name))) {
    reject('IncompleteSignature');
  }
  return names;
}

// 14.7, ACS3, step 2: gives the names of the signed headers and the signature.
function readAuthorization(request) {
  const match = AUTHORIZATION.exec(request.headers.get('authorization'));
  // 14.7 step 2: the header has another form.
  if (match === null) {
    reject('IncompleteSignature');
  }
  return { names: readSignedHeaders(match[1], request), signature: match[2] };
}

function sha256Hex(data) {
  return createHash('sha256').update(data).digest('hex');
}

// 14.7, ACS3: gives the signature of the canonical request.
function acs3Signature(request, names, digest, secret) {
  const canonicalRequest = [
    request.method,
    '/',
    canonicalQuery(request.queryParameters),
    ...names.map((name) => `${name}:${request.headers.get(name)}`),
    '',
    names.join(';'),
    digest,
  ].join('\n');
  // 14.7: one byte for each character, so that the values of headers are the bytes that were sent.
  const signed = `${ACS3}\n${sha256Hex(Buffer.from(canonicalRequest, 'latin1'))}`;
  return createHmac('sha256', secret).update(signed).digest('hex');
}

// 14.7, ACS3: all parameters are verified, and the signed headers give the action and the version.
function withHeaders({ headers, parameters }) {
  return new Map([
    ...parameters,
    ['Action', headers.get('x-acs-action')],
    ['Version', headers.get('x-acs-version')],
  ]);
}

// 14.7, ACS3-HMAC-SHA256.
function verifyAcs3(request, { accessKeys, now, isFresh }) {
  const { headers } = request;
  // 14.7 step 1: the access key is looked for before the form is judged.
  const accessKeyId = CREDENTIAL.exec(headers.get('authorization'))?.[1];
  const secret = findSecret(accessKeyId, accessKeys);
  const { names, signature } = readAuthorization(request);
  checkNonceForm(headers.get('x-acs-signature-nonce'));
  const digest = sha256Hex(request.body);
  // 14.7 step 3: `x-acs-content-sha256` is equal to the digest.
  if (headers.get('x-acs-content-sha256') !== digest) {
    reject('SignatureDoesNotMatch');
  }
  checkSignature(signature, acs3Signature(request, names, digest, secret));
  checkDate(headers.get('x-acs-date'), now);
  checkNonce(isFresh);
  const securityToken = headers.get('x-acs-security-token');
  return { accessKeyId, scheme: ACS3, securityToken, parameters: withHeaders(request) };
}

// 14.7, RPC 1.0, step 2: what is needed is there and has its form.
function checkRpcForm(request, parameters) {
  // 14.7 step 2: the parameters that are needed.
  if (!NEEDED_PARAMETERS.every((name) => parameters.has(name))) {
    reject('IncompleteSignature');
  }
  // 14.7 step 2: one of the two methods.
  if (!SIGNATURE_METHODS.has(parameters.get('SignatureMethod'))) {
    reject('IncompleteSignature');
  }
  // 14.7 step 2: the version of the signature.
  if (parameters.get('SignatureVersion') !== '1.0') {
    reject('IncompleteSignature');
  }
  // 14.7 step 2: the body is a form or empty.
  if (request.bodyType !== FORM_TYPE) {
    reject('IncompleteSignature');
  }
  // 14.7 step 2: a signature of 20 or 32 bytes in Base64.
  const length = SIGNATURE_LENGTHS.get(parameters.get('SignatureMethod'));
  if (Array.from(parameters.get('Signature')).length !== length) {
    reject('IncompleteSignature');
  }
  // 14.7 step 2: the signature is ASCII.
  if (!/^[\0-\x7f]*$/.test(parameters.get('Signature'))) {
    reject('IncompleteSignature');
  }
  checkNonceForm(parameters.get('SignatureNonce'));
}

// 14.7, RPC 1.0: gives the signature of the verified parameters.
function rpcSignature(method, verified, secret) {
  const signed = `${method}&%2F&${enc(canonicalQuery([...verified]))}`;
  const hash = SIGNATURE_METHODS.get(verified.get('SignatureMethod'));
  return createHmac(hash, `${secret}&`).update(signed).digest('base64');
}

// 14.7, RPC 1.0.
function verifyRpc(request, { accessKeys, now, isFresh }) {
  // 14.7: only parameters of query and form count.
  const isForm = request.bodyType === FORM_TYPE;
  const parameters = isForm ? request.parameters : new Map(request.queryParameters);
  const accessKeyId = parameters.get('AccessKeyId');
  const secret = findSecret(accessKeyId, accessKeys);
  checkRpcForm(request, parameters);
  // 14.7: all parameters but `Signature` are verified.
  const verified = new Map([...parameters].filter(([name]) => name !== 'Signature'));
  checkSignature(parameters.get('Signature'), rpcSignature(request.method, verified, secret));
  checkDate(parameters.get('Timestamp'), now);
  checkNonce(isFresh);
  const securityToken = parameters.get('SecurityToken');
  const scheme = parameters.get('SignatureMethod');
  return { accessKeyId, scheme, securityToken, parameters: verified };
}

// Section 14.7, "Verifying": gives who signed a request and the verified parameters.
export function verifyRequest(request, verification) {
  // 14.7: the header decides the scheme.
  if (request.headers.has('authorization')) {
    return verifyAcs3(request, verification);
  }
  return verifyRpc(request, verification);
}
