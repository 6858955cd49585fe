// The two clients of the vendor for Node.js: node.cjs SCENARIO current|pop
"use strict";

const CONTEXT = { tenant: "acme", table: "orders" };
const OTHER = { tenant: "other", table: "orders" };
const PLAINTEXT = "p@ss wörd";
const endpoint = process.env.KMSCORE_ENDPOINT;
const [protocol, address] = endpoint.split("://");
const keys = {
  accessKeyId: process.env.ALIBABA_CLOUD_ACCESS_KEY_ID,
  accessKeySecret: process.env.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
};
const modules = process.env.KMSCORE_NODE_MODULES;

function current() {
  const kms = require(`${modules}/@alicloud/kms20160120`);
  const rpc = require(`${modules}/@alicloud/rpc-client`);
  const client = new kms.default(
    new rpc.Config({ ...keys, endpoint: address, protocol, regionId: "cn-hangzhou", type: "access_key" }),
  );
  return {
    encrypt: async (keyId, encryptionContext) =>
      (await client.encrypt(new kms.EncryptRequest({ keyId, plaintext: PLAINTEXT, encryptionContext })))
        .ciphertextBlob,
    decrypt: async (ciphertextBlob, encryptionContext) =>
      (await client.decrypt(new kms.DecryptRequest({ ciphertextBlob, encryptionContext }))).plaintext,
  };
}

function pop() {
  const { RPCClient } = require(`${modules}/@alicloud/pop-core`);
  const client = new RPCClient({ ...keys, endpoint, apiVersion: "2016-01-20" });
  const request = (action, parameters, context) =>
    client.request(
      action,
      context === undefined
        ? parameters
        : { ...parameters, EncryptionContext: JSON.stringify(context) },
      { method: "POST" },
    );
  return {
    encrypt: async (KeyId, context) =>
      (await request("Encrypt", { KeyId, Plaintext: PLAINTEXT }, context)).CiphertextBlob,
    decrypt: async (CiphertextBlob, context) =>
      (await request("Decrypt", { CiphertextBlob }, context)).Plaintext,
  };
}

async function outcome(call) {
  try {
    await call();
  } catch (error) {
    return `${error.name} ${error.code}`;
  }
  return "OK";
}

async function main([scenario, which]) {
  const { encrypt, decrypt } = which === "pop" ? pop() : current();
  const blob = await encrypt("alias/orders", CONTEXT);
  if (scenario === "throttle") {
    return { second: await outcome(() => encrypt("alias/orders", CONTEXT)) };
  }
  return {
    opened: (await decrypt(blob, CONTEXT)) === PLAINTEXT,
    "other context": await outcome(() => decrypt(blob, OTHER)),
    "no context": await outcome(() => decrypt(blob, undefined)),
    "unknown key": await outcome(() => encrypt("unknown", CONTEXT)),
  };
}

main(process.argv.slice(2)).then(
  (result) => console.log(JSON.stringify(result)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
