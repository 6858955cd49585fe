// Sections 5.1, 6 and 7: the tables of suites, key specs, algorithms and key states.
//
// The tables are maps, so that no name finds a property that every object has.

export const SUITES = new Map([
  [1, { name: 'AES_256_GCM', cipher: 'aes', keyLength: 32, ivLength: 12 }],
  [2, { name: 'AES_192_GCM', cipher: 'aes', keyLength: 24, ivLength: 12 }],
  [3, { name: 'AES_128_GCM', cipher: 'aes', keyLength: 16, ivLength: 12 }],
  [4, { name: 'SM4_GCM', cipher: 'sm4', keyLength: 16, ivLength: 12 }],
  [5, { name: 'XAES_256_GCM', cipher: 'xaes', keyLength: 32, ivLength: 24 }],
]);

// Section 5.1: the first suite of a key spec is its default.
export const SYMMETRIC_KEY_SPECS = new Map([
  ['Aliyun_AES_256', { keyLength: 32, suiteIds: [5, 1] }],
  ['Aliyun_AES_192', { keyLength: 24, suiteIds: [2] }],
  ['Aliyun_AES_128', { keyLength: 16, suiteIds: [3] }],
  ['Aliyun_SM4', { keyLength: 16, suiteIds: [4] }],
]);

// Section 6: an RSA modulus has exactly `modulusBits` bits.
export const RSA_KEY_SPECS = new Map([
  ['RSA_2048', { modulusBits: 2048 }],
  ['RSA_3072', { modulusBits: 3072 }],
  ['RSA_4096', { modulusBits: 4096 }],
]);

// Section 7: the one key spec of SM2.
export const SM2_KEY_SPEC = 'EC_SM2';

// Sections 6 and 7: each algorithm with the key specs that it fits.
export const ALGORITHMS = new Map([
  [
    'RSAES_OAEP_SHA_256',
    { hash: 'sha256', hashLength: 32, keySpecs: [...RSA_KEY_SPECS.keys()] },
  ],
  ['RSAES_OAEP_SHA_1', { hash: 'sha1', hashLength: 20, keySpecs: [...RSA_KEY_SPECS.keys()] }],
  ['SM2PKE', { keySpecs: [SM2_KEY_SPEC] }],
]);

// Section 11.3.
export const KEY_STATES = new Set(['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport']);

export function isSymmetricSpec(keySpec) {
  return SYMMETRIC_KEY_SPECS.has(keySpec);
}

export function isKnownSpec(keySpec) {
  return isSymmetricSpec(keySpec) || RSA_KEY_SPECS.has(keySpec) || keySpec === SM2_KEY_SPEC;
}
