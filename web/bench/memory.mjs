// What a page's process takes more with a model than an empty page's: read from outside, for a debugger keeps bodies.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { executablePath } from "../tests/browser/chromium.mjs";
import { serve } from "../tests/browser/serve.mjs";
import { scratch } from "../tests/scratch.mjs";

const SETTLED = 4000; // milliseconds after the page is done
const ROUNDS = 3;
const TELL = '<!doctype html><title>x</title><script type="module">';

/** Bytes more, the median of rounds, of a page that loads `model` of `folder` by a URL and embeds a text. */
export async function pageMemory(folder, model) {
  const load = `import { load } from "/web/src/index.js"; globalThis.model = await load("/inputs/${model}"); model.encode("a text"); fetch("/done");`;
  const pages = { "/empty": `${TELL}fetch("/done")</script>`, "/model": `${TELL}${load}</script>` };
  const differences = [];
  for (let round = 0; round < ROUNDS; ++round) {
    const [empty, full] = [await residentAt(folder, pages, "/empty"), await residentAt(folder, pages, "/model")];
    differences.push(full - empty);
  }
  return differences.sort((a, b) => a - b)[ROUNDS >> 1];
}

async function residentAt(folder, pages, path) {
  let done;
  const told = new Promise((resolve) => (done = resolve));
  const answering = Object.defineProperty({ ...pages }, "/done", { get: () => (done(), "") });
  const server = await serve(folder, { policy: "", pages: answering });
  const profile = await scratch("memory");
  const args = ["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run", `--user-data-dir=${profile}`];
  const env = { ...process.env, TMPDIR: profile }; // where an ended browser leaves folders
  const browser = spawn(executablePath, [...args, server.origin + path], { stdio: "ignore", env });
  try {
    await told;
    await sleep(SETTLED);
    return Math.max(...(await renderersOf(browser.pid)));
  } finally {
    browser.kill();
    await once(browser, "exit");
    await server.close();
  }
}

// Anonymous and shared memory of each renderer; the page's is the largest, the other one waits for a page.
async function renderersOf(root) {
  const found = new Map();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const read = (name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
    const status = await read("status");
    const number = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+)`, "m"))?.[1] ?? 0);
    const command = await read("cmdline");
    const isRenderer = command.includes("--type=renderer") && !/--(extension-process|top-chrome-webui)/.test(command);
    found.set(Number(pid), { parent: number("PPid"), isRenderer, bytes: 1024 * (number("RssAnon") + number("RssShmem")) });
  }
  const isOurs = (pid) => pid === root || (found.has(pid) && pid > 1 && isOurs(found.get(pid).parent));
  return [...found].filter(([pid, { isRenderer }]) => isRenderer && isOurs(pid)).map(([, { bytes }]) => bytes);
}
