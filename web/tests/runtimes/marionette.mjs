// Firefox by Marionette, which can click what is not the page's: BiDi, which puppeteer speaks, stays in the page.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { scratch } from "../scratch.mjs";

/** `{call, close}`: `call(command, parameters)` is its answer. */
export async function open(executablePath) {
  const profile = await scratch("firefox");
  await writeFile(join(profile, "user.js"), 'user_pref("marionette.port", 0);\nuser_pref("browser.shell.checkDefaultBrowser", false);\n');
  const args = ["--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", profile];
  const browser = spawn(executablePath, args, { stdio: "ignore" });
  const port = await portOf(profile);
  const socket = createConnection({ host: "127.0.0.1", port });
  const waiting = new Map();
  let got = Buffer.alloc(0);
  socket.on("data", (bytes) => {
    got = Buffer.concat([got, bytes]);
    for (let at = got.indexOf(":"); at >= 0; at = got.indexOf(":")) {
      const end = at + 1 + Number(got.subarray(0, at));
      if (got.length < end) break;
      const message = JSON.parse(got.subarray(at + 1, end));
      got = got.subarray(end);
      if (!Array.isArray(message)) continue; // its greeting
      const [, id, error, result] = message;
      const { resolve, reject } = waiting.get(id);
      error ? reject(new Error(`${error.error}: ${error.message}`)) : resolve(result?.value ?? result);
    }
  });
  let last = 0;
  const call = (command, parameters = {}) =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify([0, ++last, command, parameters]);
      waiting.set(last, { resolve, reject });
      socket.write(`${Buffer.byteLength(text)}:${text}`);
    });
  await call("WebDriver:NewSession");
  return { call, close: () => (socket.destroy(), browser.kill(), once(browser, "exit")) };
}

async function portOf(profile) {
  for (let tries = 0; tries < 600; ++tries) {
    const port = Number(await readFile(join(profile, "MarionetteActivePort"), "utf8").catch(() => ""));
    if (port) return port;
    await sleep(100);
  }
  throw new Error("Firefox did not say which port Marionette has");
}
