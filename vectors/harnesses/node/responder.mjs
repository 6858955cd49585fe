// Answer the questions of `kmscore-vectors run` with one implementation:
//
//     node responder.mjs IMPLEMENTATION [--version]
//
// IMPLEMENTATION is a module of this folder. It exports `operations`, functions from the inputs of
// an operation to an answer, and either `version` or `packageName`.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { UNSUPPORTED, crash } from './format.mjs';

console.log = console.error; // Standard output is for answers, also if a library prints.

const [name, option] = process.argv.slice(2);
const { operations, packageName, version } = await import(`./${name}.mjs`);

// A question about a key of another algorithm is not one for the library.
const fits = ({ algorithm, key_spec: keySpec }) =>
  (algorithm === 'SM2PKE') === (keySpec === 'EC_SM2');

// An encryption has to succeed, so each of its exceptions is a crash.
async function answer(operation, inputs) {
  try {
    return (fits(inputs) && (await operations[operation]?.(inputs))) || UNSUPPORTED;
  } catch (exception) {
    return crash(exception);
  }
}

function installedVersion() {
  const path = new URL(`node_modules/${packageName}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')).version;
}

if (option === '--version') {
  process.stdout.write(`${version ?? installedVersion()}\n`);
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, operation, inputs } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify({ id, ...(await answer(operation, inputs)) })}\n`);
  }
}
