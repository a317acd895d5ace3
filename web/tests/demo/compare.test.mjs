// The demo beside transformers.js running all-MiniLM-L6-v2, where its weights are: make web-demo-compare.
import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, skip as noBrowser } from "../browser/chromium.mjs";
import { serve } from "../browser/serve.mjs";

const built = fileURLToPath(new URL("../../dist/demo", import.meta.url));
const skip = noBrowser || (!(await stat(join(built, "transformers")).catch(() => null)) && "no weights beside the demo: make web-demo-compare");
const shots = process.env.PUMICE_SHOTS;
let server, browser;

before(async () => {
  if (skip) return;
  server = await serve(built, { policy: "" });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

test("both find the passage that is meant", { skip }, async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(server.origin);
  await page.waitForSelector("#query:enabled");
  await page.fill("#query", "how do I get travel documents?");
  await page.click("#compare");
  await page.waitForFunction(() => document.querySelectorAll("#peer-results li").length > 0);
  for (const list of ["#results", "#peer-results"]) {
    assert.match(await page.$eval(`${list} li:first-child p`, (passage) => passage.textContent), /Passports/);
  }
  assert.match(await page.$eval("#peer-told", (told) => told.textContent), /query in \d+ ms/);
  if (shots) await page.screenshot({ path: join(shots, "compare.png"), fullPage: true });
});
