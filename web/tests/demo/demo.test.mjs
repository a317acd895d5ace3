// The demo page in Chromium: files dropped in, search as you type, and the same with the server gone.
import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, skip as noBrowser } from "../browser/chromium.mjs";
import { serve } from "../browser/serve.mjs";

const built = fileURLToPath(new URL("../../dist/demo", import.meta.url));
const skip = noBrowser || (!(await stat(built).catch(() => null)) && "the demo is not built: make web-demo");
const shots = process.env.PUMICE_SHOTS;
let server, browser, page, errors;

before(async () => {
  if (skip) return;
  server = await serve(built, { policy: "" });
  browser = await launch();
  page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(60_000);
  errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(server.origin);
});

after(async () => {
  await browser?.close();
  await server?.close().catch(() => {});
});

const best = (text) => page.waitForFunction((wanted) => document.querySelector("#results li p")?.textContent.includes(wanted), text);

test("searches the sample as one types, and marks what earned the score", { skip }, async () => {
  await page.waitForSelector("#query:enabled");
  await page.fill("#query", "how do I get travel documents?");
  await best("Passports");
  const marks = await page.$$eval("#results li:first-child mark", (found) => found.map((mark) => mark.textContent));
  assert.ok(marks.includes("Passports"), marks.join()); // of its pieces one word
  const figures = await page.$eval("#figures", (list) => list.textContent);
  assert.match(figures, /Model ready\d+ ms.*Query, encoded and searched[\d.]+ ms/s);
});

test("takes files in, refuses what is no text, keeps on", { skip }, async () => {
  await page.setInputFiles("#files", [
    { name: "notes.md", mimeType: "text/markdown", buffer: Buffer.from("The spare key lies under the third flower pot.\n\n한국어 문서입니다. 😀") },
    { name: "image.bin", mimeType: "text/plain", buffer: Buffer.from([0, 1, 2, 0]) },
  ]);
  const told = /^image\.bin: not text: it holds NUL bytes\. \d+ passages?$/;
  await page.waitForFunction((wanted) => new RegExp(wanted).test(document.getElementById("told").textContent), told.source);
  await page.fill("#query", "where is the door key hidden");
  await best("flower pot");
  assert.equal(await page.$eval("#results li:first-child header span", (name) => name.textContent), "notes.md");
  if (shots) await page.screenshot({ path: join(shots, "demo.png"), fullPage: true });
  await page.emulateMedia({ colorScheme: "dark" });
  if (shots) await page.screenshot({ path: join(shots, "demo-dark.png"), fullPage: true });
});

test("opens and searches with the server gone", { skip }, async () => {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const expected = errors.filter((error) => !/404/.test(error)); // the peer is asked for, and is not there
  assert.deepEqual(expected, []);
  await server.close();
  await page.reload();
  await page.waitForSelector("#query:enabled");
  await page.fill("#query", "baking");
  await best("Bread");
});
