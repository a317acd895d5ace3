/** Where a model's bytes come from: a URL, bytes, a Response, a Blob or a stream, read once into the core's memory. */
import { PumiceError } from "./errors.js";
import { platformOf } from "./module.js";

const HEADER = 64;
const MAGIC = [0x89, 0x50, 0x55, 0x4d, 0x49, 0x43, 0x45, 0x0a];
const NOT_A_MODEL = "not a .pumice file: the magic number is missing";
const WRONG_SIZE = "truncated or extended: its size is not the one its header declares";
const LARGEST = 0xffff0000; // 32-bit memory

/** `{name, chunks}`: what messages call the source, and an async iterable of its bytes. */
export async function open(source) {
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
    const bytes = source instanceof ArrayBuffer ? new Uint8Array(source) : viewed(source);
    return { name: "the model", chunks: [bytes] };
  }
  if (typeof Response !== "undefined" && source instanceof Response) return fromResponse(source, source.url);
  if (typeof Blob !== "undefined" && source instanceof Blob) {
    return { name: source.name || "the model", chunks: chunksOf(source.stream()) };
  }
  if (typeof source === "string" || source instanceof URL) return fromAddress(String(source));
  throw new PumiceError(`the model's source is ${kindOf(source)}: pass a URL, bytes, a Response or a Blob`);
}

/** Reads the source whole to a place in `memory`; the header says how large that must be. */
export async function readModel({ name, chunks }, memory) {
  const header = new Uint8Array(HEADER);
  let [read, size, address] = [0, 0, null];
  try {
    for await (let chunk of chunks) {
      if (address === null) {
        const taken = Math.min(chunk.length, HEADER - read);
        header.set(chunk.subarray(0, taken), read);
        read += taken;
        chunk = chunk.subarray(taken);
        if (read < HEADER) continue;
        size = sizeOf(header, name);
        address = memory.take(size);
        memory.bytes(address, HEADER).set(header);
      }
      if (read + chunk.length > size) throw new PumiceError(`${name}: ${WRONG_SIZE}`);
      memory.bytes(address + read, chunk.length).set(chunk);
      read += chunk.length;
    }
    if (read === 0) throw new PumiceError(`${name}: no bytes: not a .pumice file`);
    if (address === null) sizeOf(header, name);
    if (read !== size) throw new PumiceError(`${name}: ${WRONG_SIZE}`);
  } catch (error) {
    if (address !== null) memory.give(address, size);
    if (error instanceof PumiceError) throw error;
    throw new PumiceError(`${name}: cannot be read: ${error.message}`, { cause: error });
  }
  return { address, size };
}

function sizeOf(header, name) {
  if (MAGIC.some((byte, i) => header[i] !== byte)) throw new PumiceError(`${name}: ${NOT_A_MODEL}`);
  const size = Number(new DataView(header.buffer).getBigUint64(16, true));
  if (size < HEADER) throw new PumiceError(`${name}: ${WRONG_SIZE}`);
  if (size > LARGEST) throw new PumiceError(`${name}: declares ${size} bytes, more than WebAssembly's memory holds`);
  return size;
}

async function fromAddress(address) {
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(address);
  const reader = platformOf().readFile;
  if (reader !== null && (!isUrl || address.startsWith("file:"))) {
    try {
      return { name: address, chunks: [await reader(isUrl ? new URL(address) : address)] };
    } catch (cause) {
      throw new PumiceError(`${address}: cannot be read: ${cause.message}`, { cause });
    }
  }
  let response;
  try {
    response = await fetch(address);
  } catch (cause) {
    throw new PumiceError(`${address}: cannot be fetched: ${cause.message}`, { cause });
  }
  return fromResponse(response, address);
}

function fromResponse(response, url) {
  const name = url || "the model";
  if (!response.ok) throw new PumiceError(`${name}: cannot be fetched: HTTP status ${response.status}`);
  if (response.bodyUsed) throw new PumiceError(`${name}: the Response was read before: fetch it again`);
  return { name, chunks: response.body === null ? [] : chunksOf(response.body) };
}

// Not `for await` over the stream itself, which Safari lacks.
async function* chunksOf(stream) {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function viewed(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

export function kindOf(value) {
  if (value === null) return "null";
  return typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;
}
