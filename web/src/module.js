/** The core's WebAssembly module: with SIMD where the browser has it, compiled once, instantiated for each model. */
import { PumiceError } from "./errors.js";
import { Memory } from "./memory.js";

// A function of type () -> v128 that splats a constant: it validates where SIMD128 does.
const SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

/** Whether this engine runs the build with SIMD. */
export function hasSimd() {
  return WebAssembly.validate(SIMD);
}

// Written so that bundlers find the files and give them their own addresses.
const builds = {
  "wordpiece simd": () => new URL("../wasm/pumice.wasm", import.meta.url),
  "wordpiece plain": () => new URL("../wasm/pumice-plain.wasm", import.meta.url),
  "all simd": () => new URL("../wasm/pumice-all.wasm", import.meta.url),
  "all plain": () => new URL("../wasm/pumice-all-plain.wasm", import.meta.url),
};
const compiled = new Map();
const platform = { readFile: null, subtle: globalThis.crypto?.subtle };

/** What fetch and the global crypto do not do here: how file: URLs and paths are read, SHA-256. Node's entry sets it. */
export function setPlatform(given) {
  Object.assign(platform, given);
}

export function platformOf() {
  return platform;
}

/**
 * A new instance: the exports of pumice.h and its memory. The core of WordPiece models is half as large as that of
 * `all` tokenizers. `wasm` is a URL, bytes or a module that replaces ours.
 */
export async function instantiate({ all = false, simd = hasSimd(), wasm } = {}) {
  const build = `${all ? "all" : "wordpiece"} ${simd ? "simd" : "plain"}`;
  const module = await (wasm === undefined ? ours(build) : compile(wasm));
  const { exports } = await WebAssembly.instantiate(module, {});
  return { core: exports, memory: new Memory(exports.memory, exports.__heap_base.value) };
}

function ours(build) {
  if (!compiled.has(build)) {
    const compiling = compile(builds[build]());
    compiling.catch(() => compiled.delete(build));
    compiled.set(build, compiling);
  }
  return compiled.get(build);
}

async function compile(wasm) {
  if (wasm instanceof WebAssembly.Module) return wasm;
  if (wasm instanceof ArrayBuffer || ArrayBuffer.isView(wasm)) return WebAssembly.compile(wasm);
  const url = String(wasm);
  if (platform.readFile !== null && url.startsWith("file:")) return WebAssembly.compile(await platform.readFile(new URL(url)));
  let response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new PumiceError(`${url}: pumice's WebAssembly cannot be fetched: ${cause.message}`, { cause });
  }
  if (!response.ok) {
    throw new PumiceError(`${url}: pumice's WebAssembly cannot be fetched: HTTP status ${response.status}`);
  }
  const streams = WebAssembly.compileStreaming && response.headers.get("content-type") === "application/wasm";
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}
