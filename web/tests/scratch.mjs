// Folders that tests and benches write to; they go when the process ends, also after a failure or Ctrl-C.
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const made = [];

/** A new folder, named after what it is for. */
export async function scratch(name) {
  const folder = await mkdtemp(join(tmpdir(), `pumice-${name}-`));
  if (made.push(folder) === 1) {
    process.on("exit", removeAll);
    globalThis.addEventListener?.("unload", removeAll); // Deno's tests end without "exit"
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  }
  return folder;
}

// A browser that was just ended may still write to its profile: then once more.
function removeAll() {
  for (const folder of made) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
