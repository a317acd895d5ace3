/** Where a model's bytes come from: a URL, bytes, a Response, a Blob or a stream, read once into the core's memory. */
import { PumiceError } from "./errors.js";
import { platformOf } from "./module.js";

// docs/format.md
const HEADER = 64;
const ENTRY = 32;
const MOST_SECTIONS = 64;
const PARAMETERS = 2; // kind of section,
const TOKENIZER = 13; // and where in it the tokenizer stands
const MAGIC = [0x89, 0x50, 0x55, 0x4d, 0x49, 0x43, 0x45, 0x0a];
const NOT_A_MODEL = "not a .pumice file: the magic number is missing";
const WRONG_SIZE = "truncated or extended: its size is not the one its header declares";
const LARGEST = 0xffff0000; // 32-bit memory

/**
 * `{name, chunks, forget}`: what messages call the source, an async iterable of its bytes, and what takes them out of
 * `cache`, where a URL's are kept.
 */
export async function open(source, cache) {
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
    const bytes = source instanceof ArrayBuffer ? new Uint8Array(source) : viewed(source);
    return { name: "the model", chunks: [bytes] };
  }
  if (typeof Response !== "undefined" && source instanceof Response) return fromResponse(source, source.url);
  if (typeof Blob !== "undefined" && source instanceof Blob) {
    return { name: source.name || "the model", chunks: chunksOf(source.stream()) };
  }
  if (typeof source === "string" || source instanceof URL) return fromAddress(String(source), cache);
  throw new PumiceError(`the model's source is ${kindOf(source)}: pass a URL, bytes, a Response or a Blob`);
}

/**
 * Reads the source whole to a place in `memory`; the header says how large that must be. `begin(tokenizer)` is called
 * as soon as the file has said which tokenizer it is for.
 */
export async function readModel({ name, chunks }, memory, begin) {
  let [head, read, size, address, begun] = [new Uint8Array(0), 0, 0, null, false];
  try {
    for await (let chunk of chunks) {
      if (address === null) {
        head = head.length === 0 ? viewed(chunk) : joined(head, chunk);
        if (head.length < HEADER) continue;
        size = sizeOf(head, name);
        address = memory.take(size);
        chunk = head;
      }
      if (read + chunk.length > size) throw new PumiceError(`${name}: ${WRONG_SIZE}`);
      memory.bytes(address + read, chunk.length).set(chunk);
      read += chunk.length;
      if (begun) continue;
      const tokenizer = tokenizerOf(memory.bytes(address, read));
      begun = tokenizer !== null || read === size;
      if (begun) begin(tokenizer);
    }
    if (head.length === 0) throw new PumiceError(`${name}: no bytes: not a .pumice file`);
    if (address === null) sizeOf(head, name);
    if (address === null || read !== size) throw new PumiceError(`${name}: ${WRONG_SIZE}`);
  } catch (error) {
    if (error instanceof PumiceError) throw error;
    throw new PumiceError(`${name}: cannot be read: ${error.message}`, { cause: error });
  }
  return { address, size };
}

// Of the parameters section; null where these bytes do not reach that far. The core checks what they say.
function tokenizerOf(head) {
  const numbers = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const end = HEADER + ENTRY * Math.min(numbers.getUint32(12, true), MOST_SECTIONS);
  for (let at = HEADER; at + ENTRY <= Math.min(end, head.length); at += ENTRY) {
    if (numbers.getUint32(at, true) !== PARAMETERS) continue;
    return head[Number(numbers.getBigUint64(at + 8, true)) + TOKENIZER] ?? null;
  }
  return end <= head.length ? 0 : null;
}

function joined(head, chunk) {
  const both = new Uint8Array(head.length + chunk.length);
  both.set(head);
  both.set(chunk, head.length);
  return both;
}

function sizeOf(header, name) {
  if (header.length < HEADER) header = joined(header, new Uint8Array(HEADER - header.length));
  if (MAGIC.some((byte, i) => header[i] !== byte)) throw new PumiceError(`${name}: ${NOT_A_MODEL}`);
  const size = Number(new DataView(header.buffer, header.byteOffset).getBigUint64(16, true));
  if (size < HEADER) throw new PumiceError(`${name}: ${WRONG_SIZE}`);
  if (size > LARGEST) throw new PumiceError(`${name}: declares ${size} bytes, more than WebAssembly's memory holds`);
  return size;
}

async function fromAddress(address, cache) {
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(address);
  const reader = platformOf().readFile;
  if (reader !== null && (!isUrl || address.startsWith("file:"))) {
    try {
      return { name: address, chunks: [await reader(isUrl ? new URL(address) : address)] };
    } catch (cause) {
      throw new PumiceError(`${address}: cannot be read: ${cause.message}`, { cause });
    }
  }
  let found;
  try {
    found = cache === undefined ? { response: await fetch(address) } : await kept(address, cache);
  } catch (cause) {
    throw new PumiceError(`${address}: cannot be fetched: ${cause.message}`, { cause });
  }
  return { ...fromResponse(found.response, address), forget: found.forget };
}

// The Cache API's answer comes three times as fast as that of the browser's own cache, which crosses processes.
async function kept(address, name) {
  const cache = await globalThis.caches?.open(name).catch(() => undefined); // pages from neither https: nor localhost have none
  const found = await cache?.match(address);
  const response = found ?? (await fetch(address));
  let putting;
  if (!found && response.ok) putting = cache?.put(address, response.clone()).catch(() => {}); // no room: it is fetched again
  return { response, forget: async () => (await putting, await cache?.delete(address)) };
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
