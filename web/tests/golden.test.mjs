// Ids, vectors, spans and explanations are Python's, bit for bit, with SIMD and without.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hasSimd, load } from "pumice";
import { readTestdata } from "./files.mjs";
import { compareGolden } from "./golden.mjs";

for (const simd of [true, false]) {
  test(`golden vectors, ${simd ? "SIMD" : "plain"} build`, { skip: simd && !hasSimd() }, async () => {
    const { differing, compared } = await compareGolden(load, readTestdata, { simd });
    assert.deepEqual(differing, []);
    assert.ok(compared > 1000);
  });
}
