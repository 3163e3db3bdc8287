/* support/ticket_code_verify.mjs - reads a ticket's code as any scanner may, with nothing of ours.
 *
 *   node ticket_code_verify.mjs PUBLIC_KEY_HEX CODE
 *
 * Prints the fields, one a line, and exits 0; exits 1 if the code is not signed by that key. */

import { createPublicKey, verify } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const PAYLOAD_SIZE = 45;
const SIGNATURE_SIZE = 64;

/* RFC 9285. */
function base45(text) {
  const bytes = [];
  for (let i = 0; i < text.length; i += 3) {
    const digits = [...text.slice(i, i + 3)].map((c) => ALPHABET.indexOf(c));
    if (digits.includes(-1) || digits.length === 1) throw new Error("not base45");
    const value = digits.reduceRight((sum, digit) => sum * 45 + digit, 0);
    if (value > (digits.length === 3 ? 0xffff : 0xff)) throw new Error("not base45");
    if (digits.length === 3) bytes.push(value >> 8);
    bytes.push(value & 0xff);
  }
  return Buffer.from(bytes);
}

function publicKey(hex) {
  const x = Buffer.from(hex, "hex").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

const [, , keyHex, code] = process.argv;
if (!code.startsWith("T1:")) throw new Error("no prefix");
const bytes = base45(code.slice(3));
if (bytes.length !== PAYLOAD_SIZE + SIGNATURE_SIZE) throw new Error(`${bytes.length} bytes`);
const payload = bytes.subarray(0, PAYLOAD_SIZE);
if (!verify(null, payload, publicKey(keyHex), bytes.subarray(PAYLOAD_SIZE)))
  throw new Error("signature");

console.log(`event ${payload.toString("hex", 0, 16)}`);
console.log(`ticket ${payload.toString("hex", 16, 32)}`);
console.log(`generation ${payload.readUInt16BE(32)}`);
console.log(`not_before ${payload.readUInt32BE(34)}`);
console.log(`expires ${payload.readUInt32BE(38)}`);
console.log(`key ${payload.readUInt16BE(42)}`);
console.log(`version ${payload.readUInt8(44)}`);
