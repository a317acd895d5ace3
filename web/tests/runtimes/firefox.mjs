// Debian's Firefox, headless, by WebDriver BiDi; null with a reason where it or its driver is absent.
import { existsSync } from "node:fs";

const PATHS = [process.env.FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"];
export const executablePath = PATHS.find((path) => path && existsSync(path));
const puppeteer = await import("puppeteer-core").catch(() => null);

/** False, or why there is nothing to test with. */
export const skip =
  (executablePath === undefined && "no Firefox: on Debian, apt-get install firefox-esr (or set FIREFOX)") ||
  (puppeteer === null && "no puppeteer-core: npm ci in web/tests/runtimes");

export const launch = () => puppeteer.launch({ browser: "firefox", executablePath, headless: true });
