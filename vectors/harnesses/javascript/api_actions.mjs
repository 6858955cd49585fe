// Section 14.1: the nine actions and the names of their parameters, in the order of the table.

const DATA_KEY = ['KeySpec', 'NumberOfBytes', 'EncryptionContext'];
const WRAPPING = ['PublicKeyBlob', 'WrappingAlgorithm', 'WrappingKeySpec'];

export const ACTIONS = new Map([
  [
    'ReEncrypt',
    {
      required: ['CiphertextBlob', 'DestinationKeyId'],
      optional: [
        'SourceKeyId',
        'SourceKeyVersionId',
        'SourceEncryptionAlgorithm',
        'SourceEncryptionContext',
        'DestinationEncryptionContext',
      ],
    },
  ],
  ['Encrypt', { required: ['KeyId', 'Plaintext'], optional: ['EncryptionContext'] }],
  ['Decrypt', { required: ['CiphertextBlob'], optional: ['EncryptionContext'] }],
  ['GenerateDataKey', { required: ['KeyId'], optional: DATA_KEY }],
  ['GenerateDataKeyWithoutPlaintext', { required: ['KeyId'], optional: DATA_KEY }],
  ['ExportDataKey', { required: ['CiphertextBlob', ...WRAPPING], optional: ['EncryptionContext'] }],
  ['GenerateAndExportDataKey', { required: ['KeyId', ...WRAPPING], optional: DATA_KEY }],
  [
    'AsymmetricEncrypt',
    { required: ['KeyId', 'KeyVersionId', 'Algorithm', 'Plaintext'], optional: [] },
  ],
  [
    'AsymmetricDecrypt',
    { required: ['KeyId', 'KeyVersionId', 'Algorithm', 'CiphertextBlob'], optional: [] },
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
  ...[...ACTIONS.values()].flatMap(({ required, optional }) => [...required, ...optional]),
  'Action',
  'DryRun',
]);

// Section 14.1: the required ones first, but the three of a wrapping key after everything else.
export function readingOrder(action) {
  const { required, optional } = ACTIONS.get(action);
  const names = [...required, ...optional];
  return [
    ...names.filter((name) => !WRAPPING.includes(name)),
    ...names.filter((name) => WRAPPING.includes(name)),
  ];
}
