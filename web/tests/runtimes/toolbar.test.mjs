// The extension as it is, in Firefox, by a click on its button: that click alone lets it read the tab.
import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { serve } from "../browser/serve.mjs";
import { PAGES } from "../extension/pages.mjs";
import { executablePath } from "./firefox.mjs";
import { open } from "./marionette.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const built = join(root, "web", "dist", "extension");
const skip =
  (executablePath === undefined && "no Firefox: on Debian, apt-get install firefox-esr (or set FIREFOX)") ||
  (!(await stat(join(built, "models")).catch(() => null)) && "the extension is not built: make extension");
let server, firefox;

before(async () => {
  if (skip) return;
  server = await serve(root, { pages: PAGES });
  firefox = await open(executablePath);
});

after(async () => {
  await firefox?.close();
  await server?.close();
});

// In Firefox's own window, or in the page.
async function run(where, script, ...args) {
  await firefox.call("Marionette:SetContext", { value: where });
  return firefox.call("WebDriver:ExecuteScript", { script, args, newSandbox: true });
}

async function until(script) {
  for (let tries = 0; tries < 600; ++tries) {
    if (await run("content", `return ${script}`)) return;
    await sleep(100);
  }
  assert.fail(`waited for ${script}`);
}

test("a click on the toolbar opens the bar, which finds by meaning; before it nothing of the page is touched", { skip, timeout: 180_000 }, async () => {
  await firefox.call("Addon:Install", { path: built, temporary: true });
  await run("content", "return 0");
  await firefox.call("WebDriver:Navigate", { url: `${server.origin}/article` });
  await sleep(500);
  assert.equal(await run("content", "return document.getElementById('pumice-find') === null && scrollY"), 0);
  const clicked = await run(
    "chrome",
    `CustomizableUI.addWidgetToArea("find_pumice-browser-action", CustomizableUI.AREA_NAVBAR);
     const button = document.querySelector("#find_pumice-browser-action .unified-extensions-item-action-button") ?? document.getElementById("find_pumice-BAP");
     button?.click();
     return button !== null;`,
  );
  assert.ok(clicked);
  await until("document.getElementById('pumice-find') !== null");
  const actions = [..."renew a passport"].flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]);
  await firefox.call("WebDriver:PerformActions", { actions: [{ type: "key", id: "keyboard", actions }] });
  await until("scrollY > 1000");
});
