// The kernels of WebAssembly's SIMD give the portable kernels' bits: the core's own test of them, run by Node's WASI.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const program = await readFile(new URL("../../build/wasm/kernels_test.wasm", import.meta.url)).catch(() => null);
const wasi = await import("node:wasi").catch(() => null);
const skip = (program === null && "not built: make build/wasm/kernels_test.wasm") || (wasi === null && `Node ${process.version} has no WASI`);

test("kernels of WebAssembly", { skip }, async () => {
  const system = new wasi.WASI({ version: "preview1", args: ["kernels_test"], returnOnExit: true });
  const { instance } = await WebAssembly.instantiate(program, { wasi_snapshot_preview1: system.wasiImport });
  assert.equal(system.start(instance), 0);
});
