// The package and the extension in real Firefox: the golden vectors' bits, storage, refusals, find by meaning.
import assert from "node:assert/strict";
import { cp, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { serve } from "../browser/serve.mjs";
import { NEEDLE, PAGES } from "../extension/pages.mjs";
import { scratch } from "../scratch.mjs";
import { launch, skip } from "./firefox.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const built = join(root, "web", "dist", "extension");
const noExtension = skip || (!(await stat(join(built, "models")).catch(() => null)) && "the extension is not built: make extension");
const shots = process.env.PUMICE_SHOTS;
let server, browser, page;

before(async () => {
  if (skip) return;
  server = await serve(root, { pages: PAGES });
  browser = await launch();
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
});

after(async () => {
  await browser?.close();
  await server?.close();
});

const call = (...given) => page.evaluate(([name, ...args]) => actions[name](...args), given);

test("the package in Firefox's pages and workers", { skip }, async (t) => {
  await page.goto(`${server.origin}/web/tests/browser/page.html`);
  await page.waitForFunction(() => document.title === "ready");
  for (const simd of [true, false]) {
    for (const worker of [[], ["inWorker"]]) {
      await t.test(`golden vectors, ${simd ? "SIMD" : "plain"} build${worker.length ? ", in a worker" : ""}`, async () => {
        const { differing, compared } = await call(...worker, "golden", simd);
        assert.deepEqual(differing, []);
        assert.ok(compared > 1000);
      });
    }
  }
  await t.test("the shipped model, OPFS and IndexedDB", async () => {
    assert.equal(await call("hasSimd"), true);
    assert.equal(await call("meaning"), 0);
    assert.deepEqual(await call("inWorker", "stored"), ["a", "a", null, null]);
  });
  await t.test("refusals", async () => {
    const { messages, survives } = await call("refusals");
    assert.ok(survives);
    assert.equal(messages.length, 6);
    assert.deepEqual(messages.filter((message) => !message.startsWith("PumiceError: ")), []);
  });
});

// Nothing here clicks Firefox's toolbar: in this copy the page's scripts come with the page, and tell what they know.
async function installed() {
  const folder = join(await scratch("extension"), "extension");
  await cp(built, folder, { recursive: true });
  const manifest = JSON.parse(await readFile(join(built, "manifest.json"), "utf8"));
  const js = [...["passages", "reader", "highlight", "bar", "find"].map((name) => `content/${name}.js`), "told.js"];
  manifest.content_scripts = [{ matches: ["http://localhost/*"], js, css: ["content/page.css"], run_at: "document_idle" }];
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
  await writeFile(join(folder, "told.js"), `setInterval(() => (document.documentElement.dataset.told = JSON.stringify(pumiceFind.state())), 50);`);
  return folder;
}

async function until(holds) {
  const end = Date.now() + 60_000;
  for (;;) {
    const told = await page.evaluate(() => document.documentElement.dataset.told);
    const state = told ? JSON.parse(told) : null;
    if (state && holds(state)) return state;
    assert.ok(Date.now() < end, `waited for ${holds}: ${String(told).slice(-200)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("the extension in Firefox finds by meaning, steps and closes", { skip: noExtension }, async () => {
  await browser.installExtension(await installed());
  await page.goto(`${server.origin}/article`);
  const { ready, longest, passages } = await until((state) => state.embedded);
  console.log(`# ready after ${ready.toFixed(1)} ms, main thread at most ${longest.toFixed(1)} ms at a time`);
  assert.ok(passages > 1000);
  await page.keyboard.type("renew a passport");
  const first = await until((state) => /^1 of /.test(state.told) && state.hits[0].text.includes(NEEDLE));
  assert.ok(first.hits[0].words.length > 0);
  if (shots) await page.screenshot({ path: join(shots, "firefox.png") });
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type("floods of a river");
  await until((state) => /^1 of \d\d/.test(state.told));
  await page.keyboard.press("Enter");
  await until((state) => state.current === 1);
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.getElementById("pumice-find")), null);
});
