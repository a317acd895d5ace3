// The README's snippets run as they are written, with the shipped model at the address that they name.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { load } from "pumice";
import { shippedModel } from "./files.mjs";

const AsyncFunction = (async () => {}).constructor;

test("snippets run", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const snippets = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
  assert.equal(snippets.length, 3);
  const kept = new Map();
  const names = ["load", "saveToOpfs", "loadFromOpfs", "console"];
  const given = [
    (url) => load(url === "/models/pumice-base-en.pumice" ? fileURLToPath(shippedModel) : url),
    async (name, bytes) => kept.set(name, bytes),
    async (name) => kept.get(name),
    { assert },
  ];
  const code = snippets.join("").replaceAll(/^import .*$/gm, "");
  const results = await new AsyncFunction(...names, `${code}; return { vectors, codes, found, again };`)(...given);
  assert.equal(results.vectors.length, 1024);
  assert.equal(results.codes.length, 32);
  assert.ok(results.found.score > 0.2);
  assert.equal(results.again.size, 2);
});
