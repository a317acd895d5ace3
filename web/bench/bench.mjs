// make bench-web: Chromium beside native code and transformers.js, interleaved in one run, equality before timing.
// bench.mjs PYTHON [speed] [ready] [search] [memory]: these parts, all where none is named.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, symlink } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { launchWith, skip } from "../tests/browser/chromium.mjs";
import { ISOLATED, serve } from "../tests/browser/serve.mjs";
import { scratch } from "../tests/scratch.mjs";
import { pageMemory } from "./memory.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ROUNDS = 9;
const PASSES = 8; // of each round over the texts, of which the shortest counts
const WARMING = 60; // passes that are not timed: engines make code faster that runs often
const QUERIES = ["how do I open a file", "exception handling", "what is a generator", "unpack arguments of a call"];
const parts = process.argv.slice(3);
const has = (part) => parts.length === 0 || parts.includes(part);
const PEER_SHARE = 32; // the peer reads this part of the texts

if (skip) {
  console.log(skip);
  process.exit(0);
}

const folder = await scratch("bench");
await symlink(join(root, "web"), join(folder, "web"));
await symlink(folder, join(folder, "inputs"));
const native = spawn(process.argv[2] ?? "python3", [join(root, "web", "bench", "native.py"), folder], { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: native.stdout })[Symbol.asyncIterator]();
const answer = async () => JSON.parse((await lines.next()).value);
const nativePass = () => (native.stdin.write("go\n"), answer());

const { version, digest, bytes } = await answer();
const server = await serve(folder, { policy: "", headers: ISOLATED, pages: { "/": "<!doctype html><title>bench</title>" } });
const browser = await launchWith([]); // with a cache on disk
const page = await browser.newPage();
await page.goto(server.origin);
await page.evaluate(() => {
  const worker = new Worker("/web/bench/page.mjs", { type: "module" });
  globalThis.call = (...given) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.result));
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(given);
    });
});
const call = (...given) => page.evaluate((args) => call(...args), given);

if ((await call("start")) !== digest) throw new Error("vectors differ from native code");
const peer = has("speed") && existsSync(join(root, "web/bench/node_modules")) ? await call("peer") : null;
if (peer?.wrong) throw new Error(`${peer.wrong} texts have other ids in transformers.js`);

const peerPackage = join(root, "web/bench/node_modules/@huggingface/transformers/package.json");
const peerVersion = peer && JSON.parse(await readFile(peerPackage, "utf8")).version;
const rows = [];
const times = { native: [], encode: [], encodeOut: [], tokenize: [], peer: [], ready: [], readySmall: [], readyKept: [], search: [] };
if (has("speed")) {
  await call("encode", WARMING);
  await call("encodeOut", WARMING / 4);
  await call("tokenize", WARMING / 4);
}
if (has("ready")) await call("ready", "small", "kept");
if (peer) await call("tokenizePeer", 20, PEER_SHARE);
for (let round = 0; has("speed") && round < ROUNDS; ++round) {
  times.native.push(await nativePass());
  times.encode.push(await call("encode", PASSES));
  times.encodeOut.push(await call("encodeOut", PASSES));
  times.tokenize.push(await call("tokenize", PASSES));
  if (peer) times.peer.push((await call("tokenizePeer", PASSES, PEER_SHARE)) * PEER_SHARE);
}
for (let round = 0; has("ready") && round < ROUNDS; ++round) {
  times.ready.push(await call("ready", "model"));
  times.readySmall.push(await call("ready", "small"));
  times.readyKept.push(await call("ready", "small", "kept"));
}
const filled = has("search") && (await call("fill"));
for (let round = 0; has("search") && round < 10 * ROUNDS; ++round) times.search.push(await call("search", `${QUERIES[round % 4]} ${round}`));

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const least = (list) => Math.min(...list);
const speed = (list) => `${(bytes / 1e6 / least(list)).toFixed(0)} MB/s (median ${(bytes / 1e6 / median(list)).toFixed(0)})`;
const ms = (list) => `${(1000 * least(list)).toFixed(1)} ms (median ${(1000 * median(list)).toFixed(1)})`;
for (const name of ["pumice", "pumice-stages", "pumice-plain", "pumice-stages-plain"]) {
  rows.push([`${name}.wasm, gzip`, `${(gzipSync(await readFile(join(root, `web/wasm/${name}.wasm`)), { level: 9 }).length / 1000).toFixed(1)} kB`]);
}
if (has("speed")) {
  const share = (list) => `${((100 * least(times.native)) / least(list)).toFixed(0)} % (medians ${((100 * median(times.native)) / median(list)).toFixed(0)})`;
  rows.push(
    ["native, one thread, 500-byte chunks, 256 dimensions", speed(times.native)],
    ["Chromium, one worker, the same vectors", speed(times.encode)],
    ["Chromium / native, best of each", share(times.encode)],
    ["Chromium, into memory that is there (`out`)", speed(times.encodeOut)],
    ["Chromium with `out` / native", share(times.encodeOut)],
    ["Chromium, token ids alone", speed(times.tokenize)],
  );
}
if (peer) {
  rows.push(
    [`transformers.js ${peerVersion}, its tokenizer alone`, speed(times.peer)],
    ["vectors of pumice / ids of transformers.js, best of each", `${(least(times.peer) / least(times.encode)).toFixed(0)} ×`],
    ["native vectors / ids of transformers.js", `${(least(times.peer) / least(times.native)).toFixed(0)} ×`],
  );
}
if (has("ready")) {
  rows.push(
    ["shipped model ready, from the browser's cache", ms(times.ready)],
    ["the same cut to 128 dimensions", ms(times.readySmall)],
    ["that one kept by the Cache API (`cache`)", ms(times.readyKept)],
  );
}
if (has("search")) {
  rows.push(["100,000 passages added", `${filled.toFixed(1)} s`], ["one query: encode, search them, rescore", ms(times.search)]);
}
if (has("memory")) {
  rows.push(
    ["WebAssembly memory with the 128 dimensions", `${((await call("memory", "small")) / 1e6).toFixed(1)} MB`],
    ["a page's process with it, above an empty page's", `${((await pageMemory(folder, "small.pumice")) / 1e6).toFixed(1)} MB`],
  );
}
console.log(`pumice ${version}, Chromium ${browser.browser()?.version() ?? (await page.evaluate(() => navigator.userAgent.match(/Chrome\/([\d.]+)/)[1]))}, Node ${process.version}, ${cpus().length} × ${cpus()[0].model}`);
for (const [what, value] of rows) console.log(`| ${what} | ${value} |`);
await browser.close();
await server.close();
native.stdin.end();
