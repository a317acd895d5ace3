// The extension, loaded into headless Chromium: find by meaning, stepping, highlights, offline, large pages, scripts.
import assert from "node:assert/strict";
import { cp, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launchWith, skip as noBrowser } from "../browser/chromium.mjs";
import { serve } from "../browser/serve.mjs";
import { scratch } from "../scratch.mjs";
import { NEEDLE, PAGES } from "./pages.mjs";

const built = fileURLToPath(new URL("../../dist/extension", import.meta.url));
const isBuilt = await stat(join(built, "models")).catch(() => null);
const skip = noBrowser || (!isBuilt && "the extension is not built: make extension");
const POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'";
const shots = process.env.PUMICE_SHOTS;
const HERE = "http://localhost/*";
let server, context, worker, page;

// A test has no toolbar to click and no dialog to answer: access to this one host stands in for the click's to the tab.
async function start(changes = {}) {
  const folder = join(await scratch("extension"), "extension");
  await cp(built, folder, { recursive: true });
  const manifest = JSON.parse(await readFile(join(built, "manifest.json"), "utf8"));
  assert.deepEqual(manifest.permissions, ["activeTab", "scripting"]);
  assert.equal(manifest.host_permissions, undefined);
  await writeFile(join(folder, "manifest.json"), JSON.stringify({ ...manifest, host_permissions: [HERE], ...changes }));
  context = await launchWith([`--disable-extensions-except=${folder}`, `--load-extension=${folder}`]);
  worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker", { timeout: 60_000 }));
  page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(120_000);
}

before(async () => {
  if (skip) return;
  if (shots) await mkdir(shots, { recursive: true });
  server = await serve(built, { policy: POLICY, pages: PAGES });
  await start();
});

after(async () => {
  await context?.close();
  await server?.close();
});

const shot = async (name, of = page) => {
  if (!shots) return;
  await new Promise((resolve) => setTimeout(resolve, 500)); // for the page to have been scrolled and painted
  await of.screenshot({ path: join(shots, `${name}.png`) });
};

// In the extension's world of the page.
async function inPage(func, ...args) {
  return worker.evaluate(
    async ([source, given]) => {
      const [tab] = await chrome.tabs.query({ active: true, lastFocusedWindow: true });
      const call = (code, values) => (globalThis.pumiceFind || code === "read") && { read: () => globalThis.pumiceReader?.passages.length ?? 0, state: () => pumiceFind.state(), colours: () => Array.from(CSS.highlights.entries(), ([name, found]) => [name, Array.from(found, String)]) }[code](...values);
      const [{ result }] = await chrome.scripting.executeScript({ target: { tabId: tab.id }, func: call, args: [source, given] });
      return result;
    },
    [func, args],
  );
}

async function openBar(path, { clicks = 1 } = {}) {
  await page.goto(server.origin + path);
  await click(clicks);
  return until((state) => state?.embedded);
}

async function click(times = 1) {
  for (let i = 0; i < times; ++i) {
    await worker.evaluate(async () => {
      const [tab] = await chrome.tabs.query({ active: true, lastFocusedWindow: true });
      chrome.action.onClicked.dispatch(tab);
    });
  }
}

async function until(holds) {
  const end = Date.now() + 120_000;
  for (;;) {
    const state = await inPage("state");
    if (holds(state)) return state;
    assert.ok(Date.now() < end, `waited for ${holds}: ${JSON.stringify(state).slice(0, 600)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function find(text) {
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
  return until((state) => state.answered && state.query === text);
}

test("finds by meaning on an article of 50,000 words, quickly", { skip }, async () => {
  for (let round = 0; round < 3; ++round) {
    const state = await openBar("/article");
    console.log(`# ready after ${state.ready.toFixed(1)} ms, main thread at most ${state.longest.toFixed(1)} ms at a time`);
    assert.ok(state.passages > 1000);
  }
  const state = await find("renew a passport");
  assert.ok(state.hits[0].text.includes(NEEDLE), state.hits[0].text);
  assert.ok(state.hits.every((hit) => !hit.text.includes("hidden") && !hit.text.includes("in a script")));
  const best = [...state.hits[0].words].sort((a, b) => b[2] - a[2]).slice(0, 4);
  const earned = best.map(([begin, end]) => state.hits[0].text.slice(begin, end));
  assert.ok(earned.includes("travel") && earned.includes("documents"), earned.join());
  await page.waitForFunction(() => scrollY > 1000); // smoothly
  await shot("article");
});

test("highlights are the found passage and its words", { skip }, async () => {
  const colours = new Map(await inPage("colours"));
  assert.ok(colours.get("pumice-current")[0].includes(NEEDLE));
  const words = [4, 3, 2].flatMap((level) => colours.get(`pumice-word-${level}`) ?? []);
  assert.ok(words.includes("documents") && words.includes("travel"), words.join());
  assert.equal(await page.evaluate(() => document.querySelectorAll("mark").length), 0);
});

test("the keyboard steps both ways, round the end, and closes", { skip }, async () => {
  await find("floods of a river");
  await page.keyboard.press("Enter");
  const second = await until((state) => state.current === 1);
  assert.match(second.told, /^2 of \d+$/);
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.press("Shift+Enter");
  const last = await until((state) => state.current === second.hits.length - 1);
  assert.equal(last.told, `${last.hits.length} of ${last.hits.length}`);
  await page.keyboard.press("ArrowDown");
  await until((state) => state.current === 0);
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.getElementById("pumice-find")), null);
  assert.deepEqual(await inPage("colours"), []);
});

test("a second click focuses the bar; what is typed does not reach the page", { skip }, async () => {
  await openBar("/article", { clicks: 2 });
  await page.evaluate(() => {
    globalThis.heard = [];
    addEventListener("keydown", (event) => heard.push(event.key));
  });
  await find("music");
  assert.deepEqual(await page.evaluate(() => heard), []);
  assert.equal(await page.evaluate(() => document.querySelectorAll("#pumice-find").length), 1);
  const state = await find("zzzzqqqq xxxxyyyy");
  assert.ok(state.hits.length === 0 || state.hits[0].score < 0.6);
});

test("controls have names, and the dark scheme and reduced motion hold", { skip }, async () => {
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await openBar("/article");
  await find("listening to classical music");
  await shot("dark");
  const client = await context.newCDPSession(page);
  const { nodes } = await client.send("Accessibility.getFullAXTree");
  const names = nodes.map((node) => `${node.role?.value}: ${node.name?.value}`);
  for (const name of ["textbox: What to find, in your own words", "button: Next passage (Enter)", "button: Previous passage (Shift+Enter)", "button: Close (Escape)", "search: Find in page by meaning"]) {
    assert.ok(names.includes(name), `${name} is not among ${names.filter((one) => /button|textbox|search/.test(one))}`);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
});

test("Korean, Arabic and emoji", { skip }, async () => {
  await openBar("/scripts");
  for (const [query, wanted] of [["여권", "여권"], ["جواز السفر", "جواز"], ["birthday party 🎂", "🎂"]]) {
    const state = await find(query);
    assert.ok(state.hits[0]?.text.includes(wanted), `${query}: ${JSON.stringify(state.hits[0])}`);
    await shot(`scripts-${wanted.codePointAt(0).toString(16)}`);
  }
});

test("what a page adds later is found", { skip }, async () => {
  await openBar("/growing");
  await page.evaluate((text) => document.body.append(Object.assign(document.createElement("p"), { textContent: text })), NEEDLE);
  await until((state) => state.passages >= 3);
  const state = await find("renew a passport");
  assert.ok(state.hits[0].text.includes("travel documents"));
});

test("offline: no request leaves, and it finds", { skip }, async () => {
  await openBar("/article");
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await context.setOffline(true);
  const state = await find("baking a loaf");
  await context.setOffline(false);
  assert.match(state.hits[0].text, /dough|flour/);
  assert.deepEqual(requests, []);
});

test("a page of 10 MB", { skip }, async () => {
  const state = await openBar("/large");
  console.log(`# 10 MB: ready after ${state.ready.toFixed(0)} ms, main thread at most ${state.longest.toFixed(1)} ms at a time`);
  assert.ok(state.passages > 20_000);
  assert.ok((await find("renew a passport")).hits[0].text.includes(NEEDLE));
});

test("nothing is read before the click, unless the user has allowed it for all pages", { skip }, async () => {
  await page.goto(`${server.origin}/article`);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(await inPage("read"), 0);
  const options = await context.newPage();
  await options.goto(`${worker.url().slice(0, worker.url().lastIndexOf("/"))}/options.html`);
  assert.equal(await options.getByRole("checkbox", { name: "Read pages as they load" }).isChecked(), false);
  await options.setViewportSize({ width: 560, height: 200 });
  await shot("options", options);
  await options.emulateMedia({ colorScheme: "dark" });
  await shot("options-dark", options);
});

test("allowed for all pages, it has read and embedded a page before it is asked", { skip }, async () => {
  await context.close();
  await start({ optional_host_permissions: [HERE] }); // which it has
  const options = await context.newPage();
  await options.goto(`${worker.url().slice(0, worker.url().lastIndexOf("/"))}/options.html`);
  assert.equal(await options.getByRole("checkbox").isChecked(), true);
  await options.close();
  for (let round = 0; round < 3; ++round) {
    await page.goto(`${server.origin}/article`);
    let [read, before] = [0, -1];
    for (; read === 0 || read !== before; await new Promise((resolve) => setTimeout(resolve, 500))) [before, read] = [read, await inPage("read")];
    assert.ok(read > 1000, `${read} passages`);
    assert.equal(await page.evaluate(() => document.getElementById("pumice-find")), null);
    await click();
    const state = await until((state) => state?.embedded);
    console.log(`# read as it loaded: ready ${state.ready.toFixed(1)} ms after the click, main thread at most ${state.longest.toFixed(1)} ms at a time`);
    assert.equal(state.passages, read);
  }
  assert.ok((await find("renew a passport")).hits[0].text.includes(NEEDLE));
  await page.keyboard.press("Escape");
  await click();
  assert.ok((await until((state) => state?.embedded)).passages > 1000);
});
