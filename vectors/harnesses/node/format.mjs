// The parts of an operation that are this format's and not the library's (SPEC.md sections 3 to 5).
//
// A test that these parts decide without the library says nothing about the library: the answer is
// UNSUPPORTED. That covers headers, lengths of blobs, plaintexts and contexts.

export const UNSUPPORTED = { unsupported: true };

const MAX_PLAINTEXT = 6144;
const MAX_CONTEXT = 65535;
const IV_LENGTH = 12; // of the suites 01 to 04; no library here has XAES-256-GCM
const TAG_LENGTH = 16;

export const bytes = (hexadecimal) => Buffer.from(hexadecimal, 'hex');
export const hex = (data) => Buffer.from(data).toString('hex');

// Errors of the language itself. No library here documents them for a wrong ciphertext.
const FAULTS = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];

// An exception that the library documents: an `Error`, but not one of the language. Node.js lists
// its own errors by `code`, whatever their class.
function isDocumented(exception) {
  if (!(exception instanceof Error)) return false;
  return typeof exception.code === 'string' || !FAULTS.some((fault) => exception instanceof fault);
}

export const crash = (exception) => ({ crash: String(exception) });

// Only the library runs in `decrypt`: a documented exception is a rejection of the ciphertext.
export async function decryption(decrypt, output = 'plaintext') {
  let plaintext;
  try {
    plaintext = await decrypt();
  } catch (exception) {
    return isDocumented(exception) ? { error: 'decryption' } : crash(exception);
  }
  return { outputs: { [output]: hex(plaintext) } };
}

// The operations `encrypt` and `decrypt` with the AEADs of a library, by suite ID. Each has
// `encrypt(key, iv, associatedData, plaintext)`, which returns ciphertext and tag together, and
// `decrypt(key, iv, associatedData, ciphertext, tag)`.
export const aeadOperations = (suites) => ({
  async encrypt(inputs) {
    const { suite, header, associatedData } = prepare(suites, inputs);
    const plaintext = bytes(inputs.plaintext);
    if (!suite || !associatedData || plaintext.length > MAX_PLAINTEXT) return UNSUPPORTED;
    const iv = bytes(inputs.iv);
    const sealed = await suite.encrypt(bytes(inputs.key), iv, associatedData, plaintext);
    return { outputs: { blob: hex(Buffer.concat([header, iv, sealed])) } };
  },

  async decrypt(inputs) {
    const { suite, header, associatedData } = prepare(suites, inputs);
    const blob = bytes(inputs.blob);
    const body = blob.subarray(header.length);
    const length = body.length - IV_LENGTH - TAG_LENGTH;
    if (!suite || !associatedData || length < 0 || length > MAX_PLAINTEXT) return UNSUPPORTED;
    if (!blob.subarray(0, header.length).equals(header)) return UNSUPPORTED;
    const iv = body.subarray(0, IV_LENGTH);
    const ciphertext = body.subarray(IV_LENGTH, IV_LENGTH + length);
    const tag = body.subarray(IV_LENGTH + length);
    return decryption(() => suite.decrypt(bytes(inputs.key), iv, associatedData, ciphertext, tag));
  },
});

function prepare(suites, inputs) {
  const ids = [inputs.key_id, inputs.key_version_id];
  const fields = ids.flatMap((id) => [Buffer.of(id.length), Buffer.from(id)]);
  const header = Buffer.concat([Buffer.from('KMS\x01'), bytes(inputs.suite_id), ...fields]);
  const context = canonicalContext(inputs.pairs);
  const associatedData = context.length <= MAX_CONTEXT && Buffer.concat([header, context]);
  return { suite: suites[inputs.suite_id], header, associatedData };
}

function canonicalContext(pairs) {
  const sorted = pairs.map((pair) => pair.map((text) => Buffer.from(text)));
  sorted.sort(([a], [b]) => Buffer.compare(a, b));
  const fields = sorted.flat().flatMap((field) => [u16(field.length), field]);
  return pairs.length ? Buffer.concat([u16(pairs.length), ...fields]) : Buffer.alloc(0);
}

const u16 = (number) => Buffer.of((number >> 8) & 255, number & 255);
