/** The core's WebAssembly module: the half that a model needs, with SIMD where the browser has it, compiled once. */
import { PumiceError } from "./errors.js";

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
  "pumice.wasm": () => new URL("../wasm/pumice.wasm", import.meta.url),
  "pumice-plain.wasm": () => new URL("../wasm/pumice-plain.wasm", import.meta.url),
  "pumice-stages.wasm": () => new URL("../wasm/pumice-stages.wasm", import.meta.url),
  "pumice-stages-plain.wasm": () => new URL("../wasm/pumice-stages-plain.wasm", import.meta.url),
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
 * The exports of pumice.h over `memory`: of the core of WordPiece models, or of that of the other tokenizers (`stages`).
 * `wasm` replaces our files: the address of a folder, with "/" at its end, or the URL, bytes or module of one.
 */
export async function instantiate(memory, { stages = false, simd = hasSimd(), wasm } = {}) {
  const name = `pumice${stages ? "-stages" : ""}${simd ? "" : "-plain"}.wasm`;
  const isFolder = (typeof wasm === "string" || wasm instanceof URL) && String(wasm).endsWith("/");
  const start = async (module) => (await WebAssembly.instantiate(await module, { env: { memory } })).exports;
  if (wasm === undefined || isFolder) return start(compiledOnce(isFolder ? wasm + name : name));
  try {
    return await start(compile(wasm));
  } catch (cause) {
    if (cause instanceof PumiceError) throw cause;
    throw new PumiceError(`the WebAssembly that was given cannot be used: ${cause.message}`, { cause });
  }
}

function compiledOnce(wasm) {
  if (!compiled.has(wasm)) {
    const compiling = compile(builds[wasm]?.() ?? wasm);
    compiling.catch(() => compiled.delete(wasm));
    compiled.set(wasm, compiling);
  }
  return compiled.get(wasm);
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
  try {
    return await (streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer()));
  } catch (cause) {
    const told = `${url}: is not pumice's WebAssembly: say where a bundler has put it with { wasm: "FOLDER/" }`;
    throw new PumiceError(`${told} (${cause.message})`, { cause });
  }
}
