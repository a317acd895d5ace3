/** An index as bytes: 64 bytes of header, int8 codes, sign bits where there are any, records as JSON. */
import { PumiceError } from "./errors.js";

// At 0 the magic, then u32: version, dimensions, 1 where there are bits, passages, bytes of the records, CRC-32 of the
// whole with these four bytes zero; at 32 the model's fingerprint. Little-endian.
const HEADER = 64;
const MAGIC = [0x89, 0x50, 0x55, 0x4d, 0x49, 0x44, 0x58, 0x0a];
const VERSION = 1;
const CRC_AT = 28;

export function writeIndex({ fingerprint, dim, hasBits, count, records, parts }) {
  const json = new TextEncoder().encode(jsonOf(records));
  const size = parts.reduce((sum, part) => sum + part.length, HEADER + json.length);
  const bytes = new Uint8Array(size);
  bytes.set(MAGIC);
  bytes.set(fingerprint, 32);
  const view = new DataView(bytes.buffer);
  [VERSION, dim, hasBits ? 1 : 0, count, json.length].forEach((value, i) => view.setUint32(8 + 4 * i, value, true));
  let at = HEADER;
  for (const part of [...parts, json]) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setUint32(CRC_AT, crc32(bytes), true);
  return bytes.buffer;
}

function jsonOf(records) {
  try {
    return JSON.stringify(records);
  } catch (cause) {
    const told = "the index: a payload cannot be saved, which is done as JSON: add the passage again with one that JSON carries";
    throw new PumiceError(told, { cause });
  }
}

/** `{dim, hasBits, count, codes, bits, records}`; PumiceError for bytes that are not an index of this model. */
export function readIndex(given, fingerprint) {
  const bytes = ArrayBuffer.isView(given)
    ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
    : new Uint8Array(given);
  if (bytes.length < HEADER || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new PumiceError("the index: not a saved index: the magic number is missing");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [version, dim, flags, count, recordsSize, crc] = Array.from({ length: 6 }, (_, i) => view.getUint32(8 + 4 * i, true));
  if (version !== VERSION) {
    throw new PumiceError(`the index: written in version ${version}, which this pumice does not read`);
  }
  const hasBits = (flags & 1) !== 0;
  const codesSize = count * dim;
  const bitsSize = hasBits ? count * Math.ceil(dim / 8) : 0;
  if (bytes.length !== HEADER + codesSize + bitsSize + recordsSize) {
    throw new PumiceError("the index: truncated or extended: its size is not the one its header declares");
  }
  if (crc32(bytes) !== crc) {
    throw new PumiceError("the index: damaged: its content does not match its checksum: build it again");
  }
  if (fingerprint.some((byte, i) => bytes[32 + i] !== byte)) {
    throw new PumiceError("the index was filled by another model: open it with that one, or build it again");
  }
  const records = recordsIn(bytes.subarray(HEADER + codesSize + bitsSize), count);
  const codes = bytes.subarray(HEADER, HEADER + codesSize);
  const bits = bytes.subarray(HEADER + codesSize, HEADER + codesSize + bitsSize);
  return { dim, hasBits, count, codes, bits, records };
}

// `[id]` or `[id, payload]` of each passage. A checksum is no signature: they may be anyone's.
function recordsIn(json, count) {
  let records;
  try {
    records = JSON.parse(new TextDecoder().decode(json));
  } catch {
    records = null;
  }
  const isId = (id) => typeof id === "string" || Number.isSafeInteger(id);
  const sound = Array.isArray(records) && records.length === count && records.every((one) => Array.isArray(one) && isId(one[0]));
  if (!sound || new Set(records.map(([id]) => id)).size !== count) {
    throw new PumiceError("the index: damaged: its records are not those of its passages: build it again");
  }
  return records;
}

let tables = null;

// Eight bytes a step ("slicing by eight"), the checksum's own bytes taken as zeros.
function crc32(bytes) {
  tables ??= makeTables();
  const [a, b, c, d, e, f, g, h] = tables;
  const byteAt = (i) => (i >= CRC_AT && i < CRC_AT + 4 ? 0 : bytes[i]);
  let crc = -1;
  let i = 0;
  for (; i < HEADER; ++i) crc = a[(crc ^ byteAt(i)) & 255] ^ (crc >>> 8);
  for (; i + 8 <= bytes.length; i += 8) {
    const low = crc ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    crc =
      h[low & 255] ^ g[(low >>> 8) & 255] ^ f[(low >>> 16) & 255] ^ e[low >>> 24] ^
      d[bytes[i + 4]] ^ c[bytes[i + 5]] ^ b[bytes[i + 6]] ^ a[bytes[i + 7]];
  }
  for (; i < bytes.length; ++i) crc = a[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function makeTables() {
  const made = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let i = 0; i < 256; ++i) {
    let crc = i;
    for (let bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    made[0][i] = crc;
  }
  for (let i = 0; i < 256; ++i) {
    for (let t = 1; t < 8; ++t) made[t][i] = made[0][made[t - 1][i] & 255] ^ (made[t - 1][i] >>> 8);
  }
  return made;
}
