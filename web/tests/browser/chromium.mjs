// Debian's Chromium, headless, through Playwright; null with a reason where either is absent.
import { existsSync } from "node:fs";
import { scratch } from "../scratch.mjs";

const PATHS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
export const executablePath = PATHS.find((path) => path && existsSync(path));

/** False, or why Playwright, Vite and tsc do not run; the package itself runs in Node 18. */
export const tooOld = Number.parseInt(process.versions.node) < 20 && `Node ${process.version}: Playwright, Vite and tsc need 20 or newer`;

const playwright = tooOld ? null : await import("playwright-core").catch(() => null);

/** False, or why there is nothing to test with. */
export const skip =
  tooOld ||
  (playwright === null && "no playwright-core: npm ci in web/") ||
  (executablePath === undefined && "no Chromium: on Debian, apt-get install chromium (or set CHROMIUM)");

// Containers have no user namespaces for the sandbox, and a small /dev/shm.
const ARGS = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-precise-memory-info"];

export const launch = (args = []) => playwright.chromium.launch({ executablePath, args: [...ARGS, ...args] });

/** A browser with a profile on disk, as extensions and its cache need it. */
export const launchWith = async (args) =>
  playwright.chromium.launchPersistentContext(await scratch("profile"), { executablePath, headless: true, args: [...ARGS, ...args] });
