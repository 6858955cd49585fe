// Section 14.1: the nine actions and the names of their parameters, in the order of the table.

const DATA_KEY = ['KeySpec', 'NumberOfBytes', 'EncryptionContext'];
const WRAPPING = ['PublicKeyBlob', 'WrappingAlgorithm', 'WrappingKeySpec'];

export const ACTIONS = new Map([
  [
    'ReEncrypt',
    {
      needed: ['CiphertextBlob', 'DestinationKeyId'],
      taken: [
        'SourceKeyId',
        'SourceKeyVersionId',
        'SourceEncryptionAlgorithm',
        'SourceEncryptionContext',
        'DestinationEncryptionContext',
      ],
    },
  ],
  ['Encrypt', { needed: ['KeyId', 'Plaintext'], taken: ['EncryptionContext'] }],
  ['Decrypt', { needed: ['CiphertextBlob'], taken: ['EncryptionContext'] }],
  ['GenerateDataKey', { needed: ['KeyId'], taken: DATA_KEY }],
  ['GenerateDataKeyWithoutPlaintext', { needed: ['KeyId'], taken: DATA_KEY }],
  ['ExportDataKey', { needed: ['CiphertextBlob', ...WRAPPING], taken: ['EncryptionContext'] }],
  ['GenerateAndExportDataKey', { needed: ['KeyId', ...WRAPPING], taken: DATA_KEY }],
  [
    'AsymmetricEncrypt',
    { needed: ['KeyId', 'KeyVersionId', 'Algorithm', 'Plaintext'], taken: [] },
  ],
  [
    'AsymmetricDecrypt',
    { needed: ['KeyId', 'KeyVersionId', 'Algorithm', 'CiphertextBlob'], taken: [] },
  ],
]);

// Section 14.1: the three contexts, in the order of the table of actions.
export const CONTEXT_NAMES = [
  'SourceEncryptionContext',
  'DestinationEncryptionContext',
  'EncryptionContext',
];

// Section 14.1: the names of the parameters of any action, `Action` and `DryRun`.
export const KNOWN_NAMES = new Set([
  ...[...ACTIONS.values()].flatMap(({ needed, taken }) => [...needed, ...taken]),
  'Action',
  'DryRun',
]);

// Section 14.1: the needed ones first, but the three of a wrapping key after everything else.
export function readingOrder(action) {
  const { needed, taken } = ACTIONS.get(action);
  const names = [...needed, ...taken];
  return [
    ...names.filter((name) => !WRAPPING.includes(name)),
    ...names.filter((name) => WRAPPING.includes(name)),
  ];
}
