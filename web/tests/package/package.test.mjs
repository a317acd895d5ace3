// The packed package as others use it: its contents, types, a fresh Vite project, and a plain page without a bundler.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { launch, skip, tooOld } from "../browser/chromium.mjs";
import { serve } from "../browser/serve.mjs";
import { shippedModel } from "../files.mjs";
import { scratch } from "../scratch.mjs";

const run = promisify(execFile);
const web = fileURLToPath(new URL("../../", import.meta.url));
const bin = (name) => join(web, "node_modules", ".bin", name);
const MOST_GLUE = 12_000; // bytes, gzip

const SCRIPT = `import { load } from "pumice";
const model = await load("/m.pumice");
const index = model.index();
index.add("a", "Passports are renewed at the town hall.");
index.add("b", "Bread needs flour, water, salt and time.");
document.title = index.search("where can I get travel documents?", 1)[0].id + (await model.encode("x")).length;
`;
let project;

before(async () => {
  project = await scratch("project");
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", project], { cwd: web });
  await writeFile(join(project, "packed.json"), stdout);
  const page = '<!doctype html><title>wait</title><script type="module" src="/main.js"></script>';
  await writeFile(join(project, "index.html"), page);
  await writeFile(join(project, "main.js"), SCRIPT);
  await writeFile(join(project, "package.json"), '{"name": "fresh", "private": true, "type": "module"}');
  await run("npm", ["install", "--no-audit", "--no-fund", "--offline", "./pumice-0.1.0.tgz"], { cwd: project });
  await mkdir(join(project, "public"));
  await cp(shippedModel, join(project, "public", "m.pumice"));
});

after(async () => browser?.close());
let browser;

test("what is in it", async () => {
  const [{ files }] = JSON.parse(await readFile(join(project, "packed.json"), "utf8"));
  const paths = files.map((file) => file.path).sort();
  const sources = (await readdir(join(web, "src"))).map((name) => `src/${name}`);
  const modules = ["", "-plain", "-stages", "-stages-plain"].map((name) => `wasm/pumice${name}.wasm`);
  assert.deepEqual(paths, ["LICENSE", "README.md", "package.json", ...sources, ...modules].sort());
});

test("types hold under tsc --strict", { skip: tooOld }, async () => {
  const code = `import { load, PumiceError, type Hit } from "pumice";
import { loadFromOpfs } from "pumice/storage";
const model = await load(new URL("https://example.org/m.pumice"), { verify: true });
const vectors: Float32Array = model.encode(["a"], { dim: 64 });
const codes: Int8Array = model.encode("a", { dtype: "int8" });
const ids: Uint32Array = model.tokenize("a");
const index = model.openIndex((await loadFromOpfs("x")) ?? new ArrayBuffer(0));
const hits: Hit[] = index.search("a", 3, { filter: { year: { gte: 3 }, tag: ["x"] } });
// @ts-expect-error: there is no such dtype
model.encode("a", { dtype: "int4" });
export { vectors, codes, ids, hits, PumiceError };
`;
  await writeFile(join(project, "types.ts"), code);
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom,dom.iterable", "types.ts"];
  await run(bin("tsc"), options, { cwd: project }).catch((error) => assert.fail(error.stdout));
});

test("Node imports it by its name", async () => {
  const code = `import { load } from "pumice"; console.log((await load("public/m.pumice")).encode("a").length)`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code], { cwd: project });
  assert.equal(stdout.trim(), "512");
});

test("a fresh Vite project builds and runs", { skip }, async () => {
  await run(bin("vite"), ["build", "--logLevel", "warn", "--target", "es2022"], { cwd: project });
  const assets = await readdir(join(project, "dist", "assets"));
  const scripts = assets.filter((name) => name.endsWith(".js"));
  assert.equal(assets.filter((name) => name.endsWith(".wasm")).length, 4);
  const sizes = await Promise.all(scripts.map(async (name) => gzipSync(await readFile(join(project, "dist", "assets", name))).length));
  const glue = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`# JavaScript of the built page, gzip: ${glue} bytes`);
  assert.ok(glue <= MOST_GLUE, `${glue} bytes`);
  assert.equal(await titleOf(join(project, "dist"), "/"), "a512");
});

test("a plain page without a bundler runs", { skip }, async () => {
  const pages = { "/plain.html": '<!doctype html><title>wait</title><script type="module" src="/plain.js"></script>' };
  await writeFile(join(project, "plain.js"), SCRIPT.replace('"pumice"', '"/node_modules/pumice/src/index.js"').replace("/m.pumice", "/public/m.pumice"));
  assert.equal(await titleOf(project, "/plain.html", pages), "a512");
});

async function titleOf(folder, path, pages) {
  browser ??= await launch();
  const server = await serve(folder, { pages });
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(server.origin + path);
    await page.waitForFunction(() => document.title !== "wait", undefined, { timeout: 60_000 }).catch(() => {});
    assert.deepEqual(errors, []);
    return await page.title();
  } finally {
    await server.close();
  }
}
