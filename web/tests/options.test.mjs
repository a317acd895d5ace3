// Whatever is given in the place of options, texts, records and conditions: used or refused in one sentence.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, PumiceError } from "pumice";
import { readTestdata } from "./files.mjs";

const bytes = new Uint8Array(await readTestdata("golden-int8.pumice"));
const model = await load(bytes);
const wanted = model.encode("still there");
const ODD = [
  undefined, null, 0, -1, 1.5, NaN, 2 ** 40, "", "x", "\ud800", true, [], [1], [null], ["a", 3], {}, { a: 1 }, Object.create(null),
  () => 1, Symbol("s"), 10n, new Date(0), new Uint8Array(3), new ArrayBuffer(2), new Map(), new Set(["a"]),
];

test("no value is an error of any other kind", async () => {
  for (const value of ODD) {
    const index = model.index();
    index.add("a", "text", { year: 1 });
    const calls = {
      load: () => load(value),
      loadOptions: () => load(bytes, value),
      encode: () => model.encode(value),
      encodeOptions: () => model.encode("a", value),
      tokenize: () => model.tokenize(value),
      tokenVectors: () => model.tokenVectors(value),
      tokenVectorsOptions: () => model.tokenVectors("a", value),
      explain: () => model.explain(value, "a"),
      explainOptions: () => model.explain("a", "b", value),
      index: () => model.index(value),
      openIndex: () => model.openIndex(value),
      add: () => index.add(value, "a"),
      addText: () => index.add("b", value),
      addMany: () => index.addMany(value),
      addManyOf: () => index.addMany([value]),
      delete: () => index.delete(value),
      search: () => index.search(value),
      searchOptions: () => index.search("a", 1, value),
      k: () => index.search("a", value),
      condition: () => index.search("a", 1, { filter: { year: value } }),
      payload: () => (index.add("c", "a", value), index.save()),
      payloadOf: () => (index.add("c", "a", { value }), index.save()),
    };
    for (const name of ["dim", "dtype", "out"]) calls[`encode ${name}`] = () => model.encode("a", { [name]: value });
    for (const name of ["dim", "codes"]) calls[`index ${name}`] = () => model.index({ [name]: value });
    for (const name of ["filter", "candidates"]) calls[`search ${name}`] = () => index.search("a", 1, { [name]: value });
    for (const name of ["gte", "in"]) calls[`filter ${name}`] = () => index.search("a", 1, { filter: { year: { [name]: value } } });
    for (const [name, call] of Object.entries(calls)) {
      try {
        await call();
      } catch (error) {
        assert.ok(error instanceof PumiceError, `${name}: ${error.stack}`);
        assert.ok(!error.message.includes("\n"), error.message);
      }
    }
    index.delete("c");
    assert.equal(index.search("text", 1)[0].id, "a");
    assert.deepEqual(model.encode("still there"), wanted);
  }
});

test("options and records are told by their name", () => {
  assert.throws(() => model.encode("a", null), new PumiceError("options is null: pass an object, or nothing"));
  assert.throws(() => model.encode("a", 256), new PumiceError("options is number: pass an object, or nothing"));
  assert.throws(() => model.index().addMany(3), new PumiceError("records is number: pass an iterable of objects with id and text"));
  assert.throws(() => model.encode("a", { dim: Symbol("d") }), new PumiceError("dim=symbol is not a positive whole number"));
});
