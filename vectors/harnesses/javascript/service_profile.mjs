// Section 13.1: the options in which clients of the service differ.

import { fromHex } from './bytes.mjs';

// Section 13.1: in the published rule every option has the value that is listed first.
export const PUBLISHED_PROFILE = {
  payload: 'base64',
  sortOrder: 'code_point',
  emptyIsAbsent: false,
  contextBinding: 'digest',
  prefix: Buffer.alloc(0),
};

// Gives the profile of a question. An option that the operation does not have is the published one.
export function readProfile(inputs) {
  return {
    payload: inputs.payload ?? PUBLISHED_PROFILE.payload,
    sortOrder: inputs.sort_order ?? PUBLISHED_PROFILE.sortOrder,
    emptyIsAbsent: inputs.empty_is_absent ?? PUBLISHED_PROFILE.emptyIsAbsent,
    contextBinding: inputs.context_binding ?? PUBLISHED_PROFILE.contextBinding,
    prefix: fromHex(inputs.prefix ?? ''),
  };
}
