// encode, tokenize and explain: shapes, types, long and hostile texts, and errors in Python's words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { documentShares, load, PumiceError, wordShares } from "pumice";
import { readTestdata, shippedModel } from "./files.mjs";

const model = await load(shippedModel);

test("shapes and types", () => {
  const texts = ["first text", "second text", ""];
  const types = { float32: [Float32Array, 512], float16: [Uint16Array, 512], int8: [Int8Array, 512], binary: [Uint8Array, 64] };
  for (const [dtype, [Type, width]] of Object.entries(types)) {
    const vectors = model.encode(texts, { dtype });
    assert.ok(vectors instanceof Type);
    assert.equal(vectors.length, 3 * width);
    assert.deepEqual(vectors.slice(width, 2 * width), model.encode("second text", { dtype }));
  }
  assert.equal(model.encode(new Set(texts), { dim: 64 }).length, 3 * 64);
  assert.equal(model.encode([]).length, 0);
  assert.deepEqual(model.prefixes, [64, 128, 256, 512]);
  assert.equal(model.metadata.name, "pumice-base-en");
  assert.equal(model.tokenize(texts).length, 3);
});

test("out is filled and returned", () => {
  const texts = ["first text", "second text"];
  const memory = new ArrayBuffer(8192);
  for (const [dtype, out] of [["float32", new Float32Array(memory, 64, 2 * 256)], ["int8", new Int8Array(memory, 3, 2 * 256)], ["binary", new Uint8Array(memory, 9, 64)]]) {
    const wanted = model.encode(texts, { dim: 256, dtype });
    assert.equal(model.encode(texts, { dim: 256, dtype, out }), out);
    assert.deepEqual([...out], [...wanted]);
    assert.throws(() => model.encode(texts, { dim: 128, dtype, out }), /^PumiceError: out is not what the vectors fit: pass a \w+Array of \d+ elements$/);
  }
  assert.throws(() => model.encode("a", { out: [] }), /pass a Float32Array of 512 elements/);
});

test("meaning", () => {
  const [query, near, far] = ["renew a passport", "Applying for new travel documents", "Baking bread at home"].map((text) => model.encode(text));
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  assert.ok(dot(query, near) > dot(query, far));
});

test("many texts, and texts longer than any buffer, give the bits of each alone", () => {
  const long = "the quick brown fox ".repeat(60_000); // 1.2 MB
  const texts = [];
  for (let i = 0; i < 3000; ++i) texts.push(i % 1000 === 7 ? long.slice(i) : `text ${i} of many é 한국어 😀 `.repeat(1 + (i % 40)));
  const vectors = model.encode(texts, { dim: 64 });
  for (let i = 0; i < texts.length; i += 7) {
    assert.deepEqual(vectors.slice(64 * i, 64 * i + 64), model.encode(texts[i], { dim: 64 }), `text ${i}`);
  }
  assert.ok(model.encode("a".repeat(1 << 20)).length === 512);
  assert.ok(model.encode("\0 \u{10ffff}").length === 512);
});

test("scratch that grows for a text is there for the next", async () => {
  const bpe = await load(await readTestdata("golden-byte_level_bpe.pumice"));
  const small = bpe.encode("abc");
  const before = bpe.memoryBytes;
  bpe.encode("ﷺ".repeat(300_000));
  assert.ok(bpe.memoryBytes > before);
  const grown = bpe.memoryBytes;
  for (let i = 0; i < 3; ++i) bpe.encode("ﷺ".repeat(300_000));
  assert.equal(bpe.memoryBytes, grown);
  assert.deepEqual(bpe.encode("abc"), small);
});

test("wrong arguments are told in one sentence, and the model goes on", () => {
  const wrong = [
    [() => model.encode(5), "texts is number: pass a string or an iterable of strings"],
    [() => model.encode(null), "texts is null: pass a string or an iterable of strings"],
    [() => model.encode({ a: 1 }), "texts is Object: pass a string or an iterable of strings"],
    [() => model.encode(new Uint8Array(3)), "texts is Uint8Array: pass a string or an iterable of strings"],
    [() => model.encode(["a", 3]), "texts[1] is number, not a string: pass strings only"],
    [() => model.encode(["a", undefined]), "texts[1] is undefined, not a string: pass strings only"],
    [
      () => model.encode(["a", "b\ud800c"]),
      "texts[1] holds a lone surrogate, which UTF-8 cannot carry: clean it with text.toWellFormed()",
    ],
    [() => model.encode("a", { dim: 1024 }), "dim=1024 is larger than the model's 512 dimensions"],
    [() => model.encode("a", { dim: 0 }), "dim=0 is not a positive whole number"],
    [() => model.encode("a", { dim: 100 }), "dim=100 is not among the prefixes that the model keeps valid: 64, 128, 256, 512"],
    [() => model.encode("a", { dtype: "int4" }), "dtype='int4' is not one of float32, float16, int8, binary"],
    [() => model.encode("a", { dtype: "toString" }), "dtype='toString' is not one of float32, float16, int8, binary"],
    [() => model.tokenize("\udc00"), /^the text holds a lone surrogate/],
    [() => model.explain("a", 4), "document is number, not a string: pass strings only"],
  ];
  const before = model.encode("still here");
  for (const [call, message] of wrong) assert.throws(call, (error) => error instanceof PumiceError && matches(error.message, message));
  assert.deepEqual(model.encode("still here"), before);
});

test("words are what a reader sees as one, with the sum of their tokens' shares", () => {
  const shown = (text, pieces, shares) => wordShares(text, pieces, shares).map(([b, e, share]) => [text.slice(b, e), share]);
  assert.deepEqual(shown("re\u0301newed now", [[0, 2], [3, 8], [9, 12]], [1, 2, 4]), [["re\u0301newed", 3], ["now", 4]]); // the accent has no token
  assert.deepEqual(shown("a, b", [[0, 1], [1, 2], [3, 4]], [1, 2, 4]), [["a", 1], [",", 2], ["b", 4]]);
  assert.deepEqual(shown("\u{10400}\u{10401} x", [[0, 2], [2, 4], [5, 6]], [1, 2, 4]), [["\u{10400}\u{10401}", 3], ["x", 4]]);
  assert.deepEqual(shown("\u65e5\u672c", [[0, 1], [1, 2]], [1, 2]), [["\u65e5", 1], ["\u672c", 2]]); // a script without spaces
  assert.deepEqual(shown("\u00bd!", [[0, 1], [0, 1], [0, 1], [1, 2]], [1, 2, 4, 8]), [["\u00bd", 7], ["!", 8]]); // three tokens of one character
  assert.deepEqual(wordShares("", [], []), []);
});

test("shares add up, and spans cut the words out", () => {
  const document = "😀 Bread, water, and how passports are renewed";
  const found = model.explain("renew a passport", document);
  assert.ok(Math.abs(found.shares.reduce((sum, x) => sum + x, 0) - found.score) < 1e-12);
  const best = found.documentShares.indexOf(Math.max(...found.documentShares));
  assert.equal(document.slice(...found.document.spans[best]), "passports");
  const short = documentShares(found.query, found.document);
  short.forEach((share, i) => assert.ok(Math.abs(share - found.documentShares[i]) < 1e-12));
  assert.equal(model.explain("", "").score, 0);
  const [query, answer] = [model.encode("renew a passport"), model.encode(document)];
  const cosine = query.reduce((sum, x, i) => sum + x * answer[i], 0);
  assert.ok(Math.abs(cosine - found.score) < 1e-6);
});

function matches(message, wanted) {
  return typeof wanted === "string" ? message === wanted : wanted.test(message);
}
