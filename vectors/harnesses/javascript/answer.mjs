// The answer to one question of the runner: outputs, an error of section 9, or unsupported.

import { KmsError } from './errors.mjs';
import { FRESH_OPERATIONS } from './fresh_operations.mjs';
import { CORE_OPERATIONS } from './operations.mjs';
import { SERVICE_OPERATIONS } from './service_operations.mjs';
import { WYCHEPROOF_OPERATIONS } from './wycheproof_operations.mjs';

export const OPERATIONS = new Map(
  Object.entries({
    ...CORE_OPERATIONS,
    ...SERVICE_OPERATIONS,
    ...WYCHEPROOF_OPERATIONS,
    ...FRESH_OPERATIONS,
  }),
);

// Only a KmsError is an answer. Any other exception is a fault of this program and ends it.
export function answer(operation, inputs) {
  const perform = OPERATIONS.get(operation);
  if (perform === undefined) {
    return { unsupported: true };
  }
  try {
    return { outputs: perform(inputs) };
  } catch (error) {
    if (!(error instanceof KmsError)) {
      throw error;
    }
    return { error: error.code };
  }
}
