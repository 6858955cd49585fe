// The line protocol of the runner: a question in JSON on a line, an answer in JSON on a line.

import { createInterface } from 'node:readline';

import { answer } from './answer.mjs';

// JSON in ASCII: other characters are escaped, UTF-16 unit by unit.
function encodeAscii(value) {
  return JSON.stringify(value).replace(/[\u0080-\uffff]/g, (unit) => {
    const digits = unit.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${digits}`;
  });
}

if (process.argv.includes('--version')) {
  console.log('of SPEC.md, version 1');
  process.exit();
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, operation, inputs } = JSON.parse(line);
  // A pipe takes the whole line at once, so that nothing is left to flush.
  process.stdout.write(`${encodeAscii({ id, ...answer(operation, inputs) })}\n`);
}
