// webpack and esbuild bundle the packed package; what they make runs in Chromium. Vite: tests/package.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { launch, skip as noBrowser } from "../browser/chromium.mjs";
import { serve } from "../browser/serve.mjs";
import { shippedModel } from "../files.mjs";
import { scratch } from "../scratch.mjs";

const run = promisify(execFile);
const web = fileURLToPath(new URL("../../", import.meta.url));
const [webpack, esbuild] = await Promise.all(["webpack", "esbuild"].map((name) => import(name).catch(() => null)));
const skip = noBrowser || ((webpack === null || esbuild === null) && "no webpack or esbuild: npm ci in web/tests/runtimes");
let project, browser;

before(async () => {
  if (skip) return;
  project = await scratch("bundled");
  await run("npm", ["pack", "--pack-destination", project], { cwd: web });
  await writeFile(join(project, "package.json"), '{"name": "fresh", "private": true, "type": "module"}');
  await run("npm", ["install", "--no-audit", "--no-fund", "--offline", "./pumice-0.1.0.tgz"], { cwd: project });
  browser = await launch();
});

after(async () => browser?.close());

const script = (options) => `import { load } from "pumice";
const model = await load("/m.pumice"${options});
const index = model.index();
index.addMany([{ id: "a", text: "Passports are renewed at the town hall." }, { id: "b", text: "Bread needs flour and time." }]);
document.title = index.search("where can I get travel documents?", 1)[0].id;
`;

async function titleOf(folder) {
  await cp(shippedModel, join(folder, "m.pumice"));
  const page = await browser.newPage();
  const server = await serve(folder, { pages: { "/": '<!doctype html><title>wait</title><script type="module" src="/main.js"></script>' } });
  try {
    await page.goto(server.origin);
    await page.waitForFunction(() => document.title !== "wait", undefined, { timeout: 30_000 });
    return await page.title();
  } finally {
    await page.close();
    await server.close();
  }
}

test("webpack finds the WebAssembly itself", { skip }, async () => {
  const out = join(project, "webpack");
  await writeFile(join(project, "main.js"), script(""));
  const compiler = webpack.default({ mode: "production", context: project, entry: "./main.js", output: { path: out, filename: "main.js" } });
  const stats = await promisify(compiler.run.bind(compiler))();
  assert.deepEqual(stats.toJson({ errors: true }).errors, []);
  assert.equal(await titleOf(out), "a");
});

test("esbuild is told where the WebAssembly lies", { skip }, async () => {
  const out = join(project, "esbuild");
  await mkdir(out);
  await writeFile(join(project, "main.js"), script(', { wasm: "/pumice.wasm" }'));
  await esbuild.build({ entryPoints: [join(project, "main.js")], bundle: true, format: "esm", outfile: join(out, "main.js"), logLevel: "error" });
  await cp(join(project, "node_modules/pumice/wasm/pumice.wasm"), join(out, "pumice.wasm"));
  assert.equal(await titleOf(out), "a");
});
