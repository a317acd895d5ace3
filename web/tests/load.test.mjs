// What load takes and refuses: sources, truncated and damaged files; one sentence each, and what was loaded goes on.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { load, PumiceError } from "pumice";
import { readTestdata } from "./files.mjs";
import { scratch } from "./scratch.mjs";

const bytes = new Uint8Array(await readTestdata("golden-int8.pumice"));
const wanted = (await load(bytes)).encode("renew");

test("bytes, a buffer, a view, a path, a URL, a Response and a Blob are the same model", async () => {
  const path = join(await scratch("load"), "m.pumice");
  await writeFile(path, bytes);
  const padded = new Uint8Array(bytes.length + 3);
  padded.set(bytes, 3);
  const sources = [
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    padded.subarray(3),
    path,
    new URL(`file://${path}`),
    `file://${path}`,
    new Response(bytes),
    new Blob([bytes]),
  ];
  for (const source of sources) {
    const model = await load(source, { verify: true });
    assert.deepEqual(model.encode("renew"), wanted);
    assert.match(model.fingerprint, /^[0-9a-f]{64}$/);
  }
});

test("a URL is streamed; chunks of any size make the same model", async () => {
  for (const size of [1000, 63, 64, 7]) {
    const chunks = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    const stream = new ReadableStream({
      pull(controller) {
        const next = chunks.shift();
        next ? controller.enqueue(next) : controller.close();
      },
    });
    assert.deepEqual((await load(new Response(stream))).encode("renew"), wanted);
  }
  const server = createServer((request, response) => {
    if (request.url === "/cut") {
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 1000), () => response.destroy());
    } else {
      response.writeHead(request.url === "/m" ? 200 : 404).end(bytes);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = `http://127.0.0.1:${server.address().port}`;
  try {
    assert.deepEqual((await load(`${at}/m`)).encode("renew"), wanted);
    await refused(load(`${at}/none`), /none: cannot be fetched: HTTP status 404/);
    await refused(load(`${at}/cut`), /cut: cannot be read: /);
  } finally {
    server.close();
  }
  await refused(load(`${at}/m`), /cannot be fetched/);
});

test("truncated, extended, foreign and damaged files are refused in one sentence", async () => {
  for (const size of [0, 1, 8, 63]) await refused(load(bytes.subarray(0, size)), /not a \.pumice file|no bytes|truncated/);
  for (const size of [64, 100, 5000, bytes.length - 1]) {
    await refused(load(bytes.subarray(0, size)), /^the model: truncated or extended: its size is not the one its header declares$/);
  }
  await refused(load(new Uint8Array([...bytes, 0])), /truncated or extended/);
  await refused(load(new TextEncoder().encode("<!doctype html>".repeat(20))), /magic number is missing/);
  await refused(load(damaged(8, 9)), /the model: written in a format version that this pumice does not read/);
  await refused(load(damaged(20, 1)), /declares \d+ bytes, more than WebAssembly's memory holds/);
  await refused(load(damaged(12, 200)), /^the model: damaged: /);
  await refused(load(damaged(bytes.length - 1, bytes.at(-1) ^ 1), { verify: true }), /does not match its fingerprint/);
  await refused(load(7), /^the model's source is number: pass a URL, bytes, a Response or a Blob$/);
  await refused(load(null), /source is null/);
  await refused(load("/no/such/file.pumice"), /^\/no\/such\/file\.pumice: cannot be read: /);
});

test("parameters that come last are waited for, in time that grows with the file alone", async () => {
  const sections = 2;
  const size = 6e6;
  const late = new Uint8Array(size);
  late.set(bytes.subarray(0, 12));
  const numbers = new DataView(late.buffer);
  numbers.setUint32(12, sections, true);
  numbers.setBigUint64(16, BigInt(size), true);
  for (const [at, kind, offset, length] of [[64, 1, 128, size - 192], [96, 2, size - 64, 64]]) {
    numbers.setUint32(at, kind, true);
    numbers.setBigUint64(at + 8, BigInt(offset), true);
    numbers.setBigUint64(at + 16, BigInt(length), true);
  }
  let at = 0;
  const stream = new ReadableStream({
    pull: (controller) => (at < size ? controller.enqueue(late.slice(at, (at += 1000))) : controller.close()),
  });
  const begin = Date.now();
  await refused(load(new Response(stream)), /^the model: damaged: /);
  assert.ok(Date.now() - begin < 10_000);
});

test("a file that declares more than there is memory for is refused, and the next one loads", async () => {
  const huge = bytes.slice();
  new DataView(huge.buffer).setBigUint64(16, 0xfff00000n, true);
  await refused(load(huge), /out of memory|truncated/);
  assert.deepEqual((await load(bytes)).encode("renew"), wanted);
});

test("random damage is refused or harmless", async () => {
  let state = 11;
  const random = (most) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % most;
  let opened = 0;
  for (let round = 0; round < 150; ++round) {
    const bad = bytes.slice();
    for (let i = 0; i < 1 + (round % 5); ++i) bad[random(round % 2 ? 2000 : bad.length)] = random(256);
    try {
      const model = await load(bad);
      ++opened;
      model.encode(["a bc abc ab! renew a passport", "naïve 북경 😀"]);
      model.tokenVectors("renew a passport");
    } catch (error) {
      assert.ok(error instanceof PumiceError, error.stack);
    }
  }
  assert.ok(opened > 30);
});

function damaged(at, value) {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

test("the WebAssembly of a folder is the one that the model needs; of two that are given the wrong one says so", async () => {
  const folder = new URL("../wasm/", import.meta.url);
  const stages = new Uint8Array(await readTestdata("golden-unigram.pumice"));
  for (const model of [bytes, stages]) {
    const text = (await load(model)).encode("renew");
    assert.deepEqual((await load(model, { wasm: folder })).encode("renew"), text);
    assert.deepEqual((await load(model, { wasm: `${folder}`, simd: false })).encode("renew"), text);
  }
  await refused(load(stages, { wasm: new URL("pumice.wasm", folder) }), /^the model: its tokenizer is in pumice-stages\.wasm: /);
  await refused(load(bytes, { wasm: new URL("pumice-stages.wasm", folder) }), /its tokenizer is in pumice\.wasm: /);
  await refused(load(bytes, { wasm: new Uint8Array(9) }), /^the WebAssembly that was given cannot be used: /);
});

test("a page in the place of the WebAssembly, as bundlers serve one, is told", async () => {
  const server = createServer((_, response) => response.end("<!doctype html>"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const wasm = `http://127.0.0.1:${server.address().port}/`;
    await refused(load(bytes, { wasm }), /pumice\.wasm: is not pumice's WebAssembly: say where a bundler has put it/);
  } finally {
    server.closeAllConnections?.();
    server.close();
  }
});

async function refused(promise, message) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof PumiceError, error.stack);
    assert.match(error.message, message);
    assert.ok(!error.message.includes("\n"));
    return true;
  });
}

test("damaged metadata is told where it is asked for", async () => {
  const prefixes = '"prefixes":[7,20]';
  const bad = Buffer.from(bytes);
  bad.write('"prefixes":5'.padEnd(prefixes.length), bad.indexOf(prefixes));
  const model = await load(new Uint8Array(bad));
  assert.deepEqual(model.encode("renew"), wanted);
  for (const call of [() => model.prefixes, () => model.encode("renew", { dim: 7 })]) {
    assert.throws(call, new PumiceError("the model: its metadata is damaged (prefixes): fetch or compile the model again"));
  }
});

test("a damaged post-processor is told where spans are asked for", async () => {
  const none = '"post_processor":null,"decoder":null';
  for (const damage of ["7", "[null]", '{"type":9}', '{"type":"Sequence"}']) {
    const bad = Buffer.from(bytes);
    bad.write(`"post_processor":${damage}`.padEnd(none.length), bad.indexOf(none));
    const model = await load(new Uint8Array(bad));
    assert.deepEqual(model.encode("renew"), wanted);
    const told = "the model: its tokenizer section is damaged (post_processor): fetch or compile the model again";
    for (const call of [() => model.tokenVectors("renew"), () => model.explain("a", "b")]) assert.throws(call, new PumiceError(told));
  }
});
