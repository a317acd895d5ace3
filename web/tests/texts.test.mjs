// Texts in the core's memory are their UTF-8, however many are written together and whatever they hold.
import assert from "node:assert/strict";
import { test } from "node:test";
import { writeTexts } from "../src/texts.js";

const PARTS = ["", "a", "é", "한국어", "😀", "…", "a word", "w".repeat(49), "y".repeat(600), "\0", "w\0", "ü".repeat(17000), "z".repeat(17000)];
const encoder = new TextEncoder();
let state = 1;
const below = (n) => (state = (state * 48271) % 2147483647) % n;
const some = (n, make) => Array.from({ length: n }, make);

test("texts written together", () => {
  for (let round = 0; round < 2000; ++round) {
    const kinds = [2, PARTS.length, 9][round % 3]; // ASCII alone, anything, no NULs
    const texts = some(1 + below(12), () => some(below(3), () => PARTS[below(kinds)]).join(""));
    const first = below(texts.length);
    const most = 1 + below(8);
    const bytes = new Uint8Array(Math.max(3 * texts[first].length, below(60000))).fill(round % 2);
    const found = [];
    const count = writeTexts(texts, first, most, bytes, (begin, size) => found.push(bytes.slice(begin, begin + size)));
    assert.equal(count, found.length);
    assert.ok(count >= 1 && count <= Math.min(most, texts.length - first));
    found.forEach((written, i) => assert.deepEqual(written, encoder.encode(texts[first + i])));
  }
});

test("a lone surrogate is not made whole by the next text", () => {
  const bytes = new Uint8Array(100);
  assert.throws(() => writeTexts(["a", "\ud83d", "\ude00"], 0, 3, bytes, () => {}), /texts\[1\] holds a lone surrogate/);
  assert.throws(() => writeTexts(["a", 3], 0, 2, bytes, () => {}), /texts\[1\] is number/);
});
