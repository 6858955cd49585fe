// The worked examples of section 12, and published test values of the primitives.
//
// Run by `node --test`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { answer } from './answer.mjs';
import { encodeBase64, fromHex, toHex, u16 } from './bytes.mjs';
import { encodeElement, encodeInteger, TAGS } from './der.mjs';
import { bytesToInteger, integerToBytes, isPrime, modInverse } from './integers.mjs';
import { mgf1, oaepDataBlock, oaepEncode, oaepEncrypt } from './oaep.mjs';
import { encodePoint, G, multiplyPoint, N } from './sm2_curve.mjs';
import { sm2Decrypt, sm2Encrypt } from './sm2.mjs';
import { sm3 } from './sm3.mjs';
import { sm4BlockCipher } from './sm4.mjs';
import { ALGORITHMS } from './suites.mjs';
import { deriveXaes } from './xaes.mjs';

const SPEC = new URL('../../SPEC.md', import.meta.url);

// Gives the values of one example: texts in quotes without them, everything else as it is written.
function readExample(text, number) {
  const start = text.indexOf(`\n### ${number} `);
  const block = text.slice(text.indexOf('```', start) + 3);
  const lines = block.slice(0, block.indexOf('```')).trim().split('\n');
  const values = {};
  let name;
  for (const line of lines) {
    const match = /^(\w+) =(.*)$/.exec(line);
    name = match === null ? name : match[1];
    values[name] = (values[name] ?? '') + (match === null ? line : match[2]).trim();
  }
  return values;
}

const specification = readFileSync(SPEC, 'utf8');
const example = (number) => readExample(specification, number);
const unquote = (text) => JSON.parse(text);
const pairsOf = (json) => Object.entries(JSON.parse(json));

function outputs(operation, inputs) {
  const result = answer(operation, inputs);
  assert.deepEqual(Object.keys(result), ['outputs'], JSON.stringify(result));
  return result.outputs;
}

test('12.1: the blob has the given fields', () => {
  const given = example('12.1');
  assert.deepEqual(outputs('parse_blob', { blob: given.blob }), {
    suite_id: given.suite_id,
    key_id: unquote(given.key_id),
    key_version_id: unquote(given.key_version_id),
    iv: given.IV,
    ciphertext: given.ciphertext,
    tag: given.tag,
  });
  assert.equal(outputs('parse_blob_base64', { text: unquote(given.base64) }).blob, given.blob);
  assert.equal(encodeBase64(fromHex(given.blob)), unquote(given.base64));
});

for (const number of ['12.2', '12.3']) {
  test(`${number}: the context has the given canonical bytes`, () => {
    const given = example(number);
    const { canonical } = outputs('canonicalize_json', { json: given.json });
    assert.equal(canonical, given.canonical);
    const { canonical: same } = outputs('canonicalize', { pairs: pairsOf(given.json) });
    assert.equal(same, given.canonical);
  });
}

const SUITES = [
  ['12.4', '01', 'Aliyun_AES_256'],
  ['12.5', '04', 'Aliyun_SM4'],
  ['12.6', '05', 'Aliyun_AES_256'],
];

for (const [number, suiteId, keySpec] of SUITES) {
  test(`${number}: encryption gives the blob, decryption the plaintext`, () => {
    const given = example(number);
    const key = {
      key_spec: keySpec,
      suite_id: suiteId,
      key_id: unquote(given.key_id),
      key_version_id: unquote(given.key_version_id),
      key: given.K,
      pairs: pairsOf(given.json),
    };
    const iv = given.IV ?? given.N;
    const { blob } = outputs('encrypt', { ...key, plaintext: given.P, iv });
    assert.equal(blob, given.blob);
    assert.equal(outputs('decrypt', { ...key, blob }).plaintext, given.P);
    const other = { ...key, blob, pairs: [] };
    assert.deepEqual(answer('decrypt', other), { error: 'decryption' });
  });
}

test('12.6: the derived key', () => {
  const given = example('12.6');
  const { key, iv } = deriveXaes(fromHex(given.K), fromHex(given.N));
  assert.equal(toHex(key), given.derived_key);
  assert.equal(toHex(iv), given.N.slice(24));
});

function sequence(...elements) {
  return encodeElement(TAGS.SEQUENCE, Buffer.concat(elements));
}

function pkcs8(algorithm, key) {
  const octets = encodeElement(TAGS.OCTET_STRING, key);
  return sequence(encodeInteger(0n), sequence(...algorithm), octets);
}

function rsaPkcs8({ p, q, e, d }) {
  const numbers = [p * q, e, d, p, q, d % (p - 1n), d % (q - 1n), modInverse(q, p)];
  const identifier = encodeElement(TAGS.OBJECT_IDENTIFIER, fromHex('2a864886f70d010101'));
  const key = sequence(encodeInteger(0n), ...numbers.map(encodeInteger));
  return pkcs8([identifier, encodeElement(TAGS.NULL, Buffer.alloc(0))], key);
}

test('12.7: the values of RSAES-OAEP, and decryption', () => {
  const given = example('12.7');
  const hash = ALGORITHMS.get('RSAES_OAEP_SHA_256');
  const [p, q, e, d] = ['p', 'q', 'e', 'd'].map((name) => bytesToInteger(fromHex(given[name])));
  const dataBlock = oaepDataBlock(hash, 256, fromHex(given.M));
  assert.equal(toHex(dataBlock), given.DB);
  assert.equal(toHex(mgf1(hash, fromHex(given.seed), dataBlock.length)), given.dbMask);
  assert.equal(toHex(oaepEncode(hash, fromHex(given.seed), dataBlock)), given.EM);
  const key = { n: p * q, e };
  const drawSeed = () => fromHex(given.seed);
  assert.equal(toHex(oaepEncrypt(key, hash, fromHex(given.M), drawSeed)), given.ciphertext);
  const inputs = {
    algorithm: 'RSAES_OAEP_SHA_256',
    key_spec: 'RSA_2048',
    private_key: toHex(rsaPkcs8({ p, q, e, d })),
    ciphertext: given.ciphertext,
  };
  assert.equal(outputs('asymmetric_decrypt', inputs).plaintext, given.M);
  const wrong = { ...inputs, private_key: toHex(rsaPkcs8({ p, q, e, d: d + 2n })) };
  assert.deepEqual(answer('asymmetric_decrypt', wrong), { error: 'invalid_key' });
});

function sm2Identifiers() {
  return ['2a8648ce3d0201', '2a811ccf5501822d'].map((identifier) =>
    encodeElement(TAGS.OBJECT_IDENTIFIER, fromHex(identifier)));
}

function sm2Pkcs8(scalar, point) {
  const bits = encodeElement(TAGS.BIT_STRING, Buffer.concat([Buffer.alloc(1), point]));
  const octets = encodeElement(TAGS.OCTET_STRING, scalar);
  const publicKey = encodeElement(TAGS.CONTEXT_1, bits);
  return pkcs8(sm2Identifiers(), sequence(encodeInteger(1n), octets, publicKey));
}

function sm2Spki(point) {
  const bits = encodeElement(TAGS.BIT_STRING, Buffer.concat([Buffer.alloc(1), point]));
  return sequence(sequence(...sm2Identifiers()), bits);
}

const ENCODINGS = ['C1C3C2', 'C1C2C3', 'C1C3C2_BARE', 'C1C2C3_BARE', 'ASN1_DER'];

test('12.8: encryption, conversion and decryption of SM2PKE', () => {
  const given = example('12.8');
  const point = fromHex(`04${given.xP}${given.yP}`);
  const publicKey = toHex(sm2Spki(point));
  const encryption = { public_key: publicKey, plaintext: given.M, k: given.k };
  assert.equal(outputs('sm2_encrypt', encryption).ciphertext, given.C1C3C2);
  for (const source of ENCODINGS) {
    for (const target of ENCODINGS) {
      const inputs = { source, target, ciphertext: given[source] };
      assert.equal(outputs('sm2_convert', inputs).converted, given[target]);
    }
  }
  const privateKey = toHex(sm2Pkcs8(fromHex(given.d), point));
  for (const encoding of ['C1C3C2', 'ASN1_DER']) {
    const inputs = {
      algorithm: 'SM2PKE',
      key_spec: 'EC_SM2',
      private_key: privateKey,
      ciphertext: given[encoding],
    };
    assert.equal(outputs('asymmetric_decrypt', inputs).plaintext, given.M);
  }
});

test('12.9: re-encryption', () => {
  const given = example('12.9');
  const inputs = {
    keys: [
      {
        key_id: 'key-1',
        key_version_id: 'v1',
        key_spec: 'Aliyun_AES_256',
        state: 'Enabled',
        suite_id: '01',
        key: given.source_key,
      },
      {
        key_id: unquote(given.destination_key_id),
        key_version_id: unquote(given.destination_key_version_id),
        key_spec: 'Aliyun_AES_256',
        state: 'Enabled',
        suite_id: '05',
        key: given.destination_key,
      },
    ],
    ciphertext_blob: given.source_blob,
    destination_key_id: unquote(given.destination_key_id),
    source_pairs: pairsOf(given.source_json),
    destination_pairs: pairsOf(given.destination_json),
    source_key_id: null,
    source_key_version_id: null,
    source_algorithm: null,
    dry_run: false,
    iv: given.destination_IV,
  };
  const { response } = outputs('reencrypt', inputs);
  assert.equal(response.ciphertext_blob, given.destination_blob);
  const dry = outputs('reencrypt', { ...inputs, dry_run: true }).response;
  assert.deepEqual(dry, { ...response, ciphertext_blob: null });
});

test('SM3: the examples of GB/T 32905-2016', () => {
  const abc = '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0';
  const abcd = 'debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732';
  assert.equal(toHex(sm3(Buffer.from('abc'))), abc);
  assert.equal(toHex(sm3(Buffer.from('abcd'.repeat(16)))), abcd);
});

test('SM4: the examples of GB/T 32907-2016', () => {
  const key = fromHex('0123456789abcdeffedcba9876543210');
  const encryptBlocks = sm4BlockCipher(key);
  let block = encryptBlocks(key);
  assert.equal(toHex(block), '681edf34d206965e86b3e94f536e4246');
  for (let i = 1; i < 1000000; i += 1) {
    block = encryptBlocks(block);
  }
  assert.equal(toHex(block), '595298c7c6fd271f0402f804c33d3f66');
});

test('SM2: [n - 1]G is -G, and what is encrypted decrypts', () => {
  assert.equal(multiplyPoint(N - 1n, G).x, G.x);
  assert.equal(multiplyPoint(N, G), undefined);
  const d = 12345n;
  const message = Buffer.from('message');
  const ciphertext = sm2Encrypt(multiplyPoint(d, G), message);
  assert.deepEqual(sm2Decrypt({ d }, ciphertext), message);
  assert.equal(encodePoint(G).length, 65);
});

test('integers: primes, bytes and limits', () => {
  assert.equal(isPrime(N), true);
  assert.equal(isPrime(561n), false);
  assert.throws(() => integerToBytes(256n, 1), RangeError);
  assert.throws(() => u16(65536), RangeError);
});

const BAD_JSON = [
  '', ' ', '[]', '{', '{}x', '{},', '{"a":1}', '{"a":"b",}', "{'a':'b'}", '{"a":"b","\\u0061":""}',
  '\ufeff{}', '{"a":"\\ud800"}', '{"a":"\\ud800\udc00"}', '{"a":"\n"}', '{"a":"\\x"}', '{}\u0000',
  '{"a":"\\u00g0"}', '{"a":null}', '['.repeat(8192), `${' '.repeat(8191)}{}`, '\u00a0{}',
];

test('4.2: texts that are not an object of strings', () => {
  for (const json of BAD_JSON) {
    assert.deepEqual(answer('canonicalize_json', { json }), { error: 'invalid_context' }, json);
  }
  const longest = `${' '.repeat(8190)}{}`;
  assert.equal(outputs('canonicalize_json', { json: longest }).canonical, '');
});
