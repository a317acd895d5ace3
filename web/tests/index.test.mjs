// The index against a brute-force oracle: random adds, replacements, deletions and filters; saved bytes and damage.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, PumiceError } from "pumice";
import { writeIndex } from "../src/index_file.js";
import { readTestdata, shippedModel } from "./files.mjs";

const model = await load(shippedModel);
const WORDS = "passport bread water river code python winter summer train doctor music paint school garden engine".split(" ");

function randomNumbers(seed) {
  let state = seed;
  return (most) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return state % most;
  };
}

function randomText(random) {
  return Array.from({ length: 2 + random(6) }, () => WORDS[random(WORDS.length)]).join(" ");
}

// Sign bits choose `candidates`, int8 cosines rank them: in plain loops, over everything.
function oracle(passages, query, { k, dim, codes, candidates }) {
  const encode = (text, dtype) => model.encode(text, { dim, dtype });
  const scored = (dtype, score, from) => {
    const wanted = encode(query, dtype);
    return from
      .map((one) => ({ ...one, score: score(wanted, encode(one.text, dtype)) }))
      .sort((a, b) => b.score - a.score || a.position - b.position);
  };
  let left = passages;
  if (codes === "binary") left = scored("binary", (a, b) => dim - 2 * differing(a, b), left).slice(0, candidates);
  return scored("int8", (a, b) => Math.fround(dot(a, b) * inverseNorm(b)), left).slice(0, k);
}

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const inverseNorm = (a) => (dot(a, a) > 0 ? Math.fround(1 / Math.sqrt(dot(a, a))) : 0);
const differing = (a, b) => a.reduce((sum, x, i) => sum + (x ^ b[i]).toString(2).replaceAll("0", "").length, 0);

for (const codes of ["binary", "int8"]) {
  test(`random operations agree with brute force, ${codes} codes`, () => {
    for (let seed = 1; seed <= 6; ++seed) {
      const random = randomNumbers(seed);
      const dim = [64, 128, 256][random(3)];
      let index = model.index({ dim, codes });
      const passages = new Map();
      const holes = [];
      let length = 0;
      for (let step = 0; step < 40; ++step) {
        const records = Array.from({ length: 1 + random(60) }, () => ({
          id: random(2) ? random(400) : `s${random(400)}`,
          text: randomText(random),
          payload: random(3) ? { year: 2000 + random(20), tag: [WORDS[random(3)]] } : null,
        }));
        index.addMany(records);
        // Positions order equal scores: a replaced passage takes a new place before its old one is free.
        const places = records.map(() => holes.pop() ?? length++);
        records.forEach(({ id, text, payload }, i) => {
          if (passages.has(id)) holes.push(passages.get(id).position);
          passages.set(id, { id, text, payload, position: places[i] });
        });
        for (let i = 0; i < 10; ++i) {
          const id = random(2) ? random(400) : `s${random(400)}`;
          assert.equal(index.delete(id), passages.has(id));
          if (passages.has(id)) holes.push(passages.get(id).position);
          passages.delete(id);
        }
        assert.equal(index.size, passages.size);
        if (step % 8 === 3) {
          const query = randomText(random);
          const k = 1 + random(20);
          const year = 2000 + random(20);
          const given = [undefined, { year: { gte: year } }, { tag: WORDS[0] }, { year: null }, (payload, id) => typeof id === "number"][random(5)];
          const holds = [
            [undefined, () => true],
            [given?.year?.gte, (p) => p.payload?.year >= year],
            [given?.tag, (p) => p.payload?.tag[0] === WORDS[0]],
            [given?.year === null || undefined, (p) => p.payload === null],
            [typeof given === "function" || undefined, (p) => typeof p.id === "number"],
          ].findLast(([set], i) => i === 0 || set !== undefined)[1];
          const candidates = k + random(30);
          const left = [...passages.values()].filter(holds).sort((a, b) => a.position - b.position);
          const wanted = oracle(left, query, { k, dim, codes, candidates });
          const found = index.search(query, k, { filter: given, candidates });
          assert.deepEqual(found.map((hit) => hit.id), wanted.map((hit) => hit.id));
          const scale = inverseNorm(model.encode(query, { dim, dtype: "int8" }));
          found.forEach((hit, i) => assert.ok(Math.abs(hit.score - wanted[i].score * scale) < 1e-6));
          found.forEach((hit) => assert.deepEqual(hit.payload, passages.get(hit.id).payload));
        }
        if (step === 20) {
          index = model.openIndex(index.save()); // saving closes the holes up
          const kept = [...passages.values()].sort((a, b) => a.position - b.position);
          kept.forEach((passage, position) => (passage.position = position));
          [holes.length, length] = [0, kept.length];
        }
      }
    }
  });
}

test("equal bytes for an equal index, and a model of its own only", async () => {
  const index = model.index({ dim: 128 });
  index.add("a", "Passports are renewed at the town hall.", { year: 2024 });
  index.add(2, "Bread needs flour.");
  const bytes = index.save();
  assert.deepEqual(model.openIndex(bytes).save(), bytes);
  assert.deepEqual(model.openIndex(new Uint8Array(bytes)).search("travel documents", 1)[0].payload, { year: 2024 });
  assert.equal(model.openIndex(model.index().save()).size, 0);
  const other = await load(await readTestdata("golden-int8.pumice"));
  refused(() => other.openIndex(bytes), "the index was filled by another model: open it with that one, or build it again");
  for (let i = 0; i < bytes.byteLength; i += 3) {
    const bad = new Uint8Array(bytes.slice(0));
    bad[i] ^= 4;
    refused(() => model.openIndex(bad), /^the index/);
  }
  for (const size of [0, 7, 63, 64, 200, bytes.byteLength - 1]) refused(() => model.openIndex(bytes.slice(0, size)), /^the index: /);
  refused(() => model.openIndex("x"), "the index is string: pass the bytes that save returned");
});

test("records that are not those of the passages are refused", () => {
  const index = model.index({ dim: 64, codes: "int8" });
  index.add("a", "bread");
  index.add("b", "water");
  const kept = new Uint8Array(index.save());
  const fingerprint = kept.slice(32, 64);
  const parts = [kept.slice(64, 64 + 2 * 64)];
  const opened = (records) => model.openIndex(writeIndex({ fingerprint, dim: 64, hasBits: false, count: 2, records, parts }));
  assert.equal(opened([["a"], ["b", { year: 1 }]]).size, 2);
  for (const records of [null, 3, {}, [], [["a"]], [["a"], "b"], [["a"], [null]], [["a"], [1.5]], [["a"], ["a"]]]) {
    refused(() => opened(records), "the index: damaged: its records are not those of its passages: build it again");
  }
});

test("an index that finds no memory is as it was", () => {
  const index = model.index();
  index.add("kept", "a kept passage");
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = () => {
    throw new RangeError("no more memory"); // as where a page has used all of its own
  };
  try {
    const many = Array.from({ length: 200_000 }, (_, id) => ({ id, text: "bread" }));
    refused(() => index.addMany(many), /^out of memory/);
  } finally {
    WebAssembly.Memory.prototype.grow = grow;
  }
  assert.deepEqual(index.search("bread", 20).map((hit) => hit.id), ["kept"]);
  index.addMany([{ id: 1, text: "bread" }, { id: 2, text: "water" }]);
  assert.deepEqual(index.search("bread", 20).map((hit) => hit.id).sort(), [1, 2, "kept"]);
});

test("an empty string is there, an empty list is missing", () => {
  const index = model.index();
  [["string", ""], ["list", []], ["null", null], ["zero", 0]].forEach(([id, tag]) => index.add(id, "bread", { tag }));
  index.add("none", "bread");
  assert.deepEqual(index.search("bread", 9, { filter: { tag: null } }).map((hit) => hit.id), ["list", "null", "none"]);
});

test("wrong arguments are told, and nothing of a failed call is in", () => {
  const index = model.index();
  index.add("kept", "a kept passage");
  refused(() => index.add({}, "x"), "records[0].id is Object: pass a string or a whole number");
  refused(() => index.add("x", 4), "records[0].text is number, not a string: pass strings only");
  refused(() => index.addMany([{ id: 1, text: "fine" }, { id: 2, text: "\ud800" }]), /^records\[1\]\.text holds a lone surrogate/);
  refused(() => index.search("x", 0), "k=0 is not a positive whole number");
  refused(() => index.search("x", 3, { candidates: 2 }), "candidates=2 is not a whole number of at least k=3");
  refused(() => index.search("x", 3, { filter: 7 }), "filter is number: pass an object of conditions or a function");
  refused(() => index.search("x", 3, { filter: { year: { above: 3 } } }), /^filter: year asks for/);
  refused(() => model.index({ dim: 3 }), /^dim=3 is not among/);
  refused(() => model.index({ codes: "float" }), "codes='float' is not one of binary, int8");
  assert.deepEqual(index.search("a passage", 5).map((hit) => hit.id), ["kept"]);
  assert.deepEqual(model.index().search("anything"), []);
  index.clear();
  assert.equal(index.size, 0);
  index.add("again", "after clear");
  assert.equal(index.search("clear")[0].id, "again");
});

test("cleared indexes give their memory back", () => {
  const records = Array.from({ length: 5000 }, (_, id) => ({ id, text: `passage ${id}` }));
  const fill = () => {
    const index = model.index();
    index.addMany(records);
    index.clear();
  };
  fill();
  const before = model.memoryBytes;
  for (let i = 0; i < 4; ++i) fill();
  assert.equal(model.memoryBytes, before);
});

function refused(call, message) {
  assert.throws(call, (error) => {
    assert.ok(error instanceof PumiceError, error.stack);
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}
