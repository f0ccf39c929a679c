import { generateKeyPairSync } from "node:crypto";

/** A private key as GitHub gives an App, made anew. */
export const rsaKey: string = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;
