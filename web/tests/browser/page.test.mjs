// In real Chromium, in a page and in a worker, under a strict Content-Security-Policy: the golden vectors' bits.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, skip } from "./chromium.mjs";
import { serve } from "./serve.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
let server, browser, page;

before(async () => {
  if (skip) return;
  server = await serve(root);
  browser = await launch();
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${server.origin}/web/tests/browser/page.html`);
  await page.waitForFunction(() => document.title === "ready");
});

after(async () => {
  await browser?.close();
  await server?.close();
});

const call = (...given) => page.evaluate(([name, ...args]) => actions[name](...args), given);

for (const place of ["page", "worker"]) {
  for (const simd of [true, false]) {
    test(`golden vectors in a ${place}, ${simd ? "SIMD" : "plain"} build`, { skip }, async () => {
      assert.equal(await call("hasSimd"), true);
      const { differing, compared } = await (place === "page" ? call("golden", simd) : call("inWorker", "golden", simd));
      assert.deepEqual(differing, []);
      assert.ok(compared > 1000);
    });
  }
}

test("a page fetches the half of the core that its model needs, once", { skip }, async () => {
  for (const [model, wanted] of [["golden-int8", "pumice.wasm"], ["golden-unigram", "pumice-stages.wasm"], ["golden-phrases", "pumice.wasm"]]) {
    const fresh = await browser.newPage();
    await fresh.goto(`${server.origin}/web/tests/browser/page.html`);
    const fetched = await fresh.evaluate(async (name) => {
      const { load } = await import("/web/src/index.js");
      for (let i = 0; i < 2; ++i) (await load(`/testdata/${name}.pumice`)).encode("renew");
      return performance.getEntriesByType("resource").map((entry) => entry.name.split("/").at(-1)).filter((name) => name.endsWith(".wasm"));
    }, model);
    assert.deepEqual(fetched, [wanted]);
    await fresh.close();
  }
});

test("the shipped model finds by meaning", { skip }, async () => {
  assert.equal(await call("meaning"), 0);
});

test("a model that is kept is not asked for again, and is there offline", { skip }, async () => {
  const wanted = { same: true, asked: 1, none: "/none.pumice: cannot be fetched: HTTP status 404", keys: 1 };
  assert.deepEqual(await call("inWorker", "kept", "/testdata/golden-int4.pumice"), wanted);
  await page.context().setOffline(true);
  const offline = await page.evaluate(() => actions.kept("/testdata/golden-int4.pumice").catch((error) => error.message));
  await page.context().setOffline(false);
  assert.deepEqual([offline.same, offline.asked], [true, 0]);
});

test("an index comes back from OPFS and IndexedDB", { skip }, async () => {
  assert.deepEqual(await call("stored"), ["a", "a", null, null]);
  assert.deepEqual(await call("inWorker", "stored"), ["a", "a", null, null]);
});

test("what cannot be loaded is told in one sentence, and the worker survives", { skip }, async () => {
  for (const place of [[], ["inWorker"]]) {
    const { messages, survives } = await call(...place, "refusals");
    assert.ok(survives);
    const wanted = [
      /^PumiceError: \/none\.pumice: cannot be fetched: HTTP status 404$/,
      /^PumiceError: the model: truncated or extended/,
      /^PumiceError: the model: not a \.pumice file/,
      /^PumiceError: the model's source is number/,
      /^PumiceError: http:\/\/localhost:1\/m\.pumice: cannot be fetched/,
      /^PumiceError: (out of memory|the model: truncated)/,
    ];
    assert.equal(messages.length, wanted.length);
    messages.forEach((message, i) => assert.match(message, wanted[i]));
  }
});
