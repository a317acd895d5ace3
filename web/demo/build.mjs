// Puts the demo together in web/dist/demo: static files, and a service worker that knows their names and hash.
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("../", import.meta.url));
const out = join(web, "dist", "demo");

const PEER = "transformers"; // what weights.py puts there stays
for (const name of await readdir(out).catch(() => [])) {
  if (name !== PEER) await rm(join(out, name), { recursive: true });
}
await mkdir(join(out, "models"), { recursive: true });
await cp(join(web, "demo"), out, { recursive: true, filter: (path) => !/build\.mjs$|weights\.py$/.test(path) });
await cp(join(web, "models", "find.pumice"), join(out, "models", "find.pumice"));
for (const name of ["src", "wasm"]) {
  const wanted = (path) => !/\.d\.ts$|-all|node\.js$/.test(path); // the demo's model is WordPiece
  await cp(join(web, name), join(out, "pumice", name), { recursive: true, filter: wanted });
}

const hash = createHash("sha256");
const files = ["./"];
for (const name of (await readdir(out, { recursive: true })).sort()) {
  if (name === "offline.js" || name.startsWith(PEER) || !(await stat(join(out, name))).isFile()) continue;
  hash.update(await readFile(join(out, name)));
  files.push(name.replaceAll("\\", "/"));
}
const worker = await readFile(join(out, "offline.js"), "utf8");
const written = worker.replace('"VERSION"', `"${hash.digest("hex").slice(0, 16)}"`).replace('["FILES"]', JSON.stringify(files));
await writeFile(join(out, "offline.js"), written);
