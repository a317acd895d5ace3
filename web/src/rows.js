/** What each token of a text adds to the sum that becomes its vector: the row times its weight, repeats as they count. */
import { PumiceError } from "./errors.js";

const WHOLE = 256; // what a token counts where it stands first
const ALL = WHOLE * WHOLE;
const FINE = 32768; // what the first of two multipliers counts

/**
 * Float32Array, n × dim, of the tokens `ids`. `file` has `info` and `section(name)`; the arithmetic is the core's,
 * one rounding to float32 an operation.
 */
export function tokenRows(file, ids, dim) {
  const { dimensions, rows, rowType, tokens, unit } = file.info;
  const table = file.section("rows");
  const mapping = numbers(file.section("tokenRows"), Uint32Array);
  const weights = numbers(file.section("tokenWeights"), Float32Array);
  const multipliers = numbers(file.section("tokenMultipliers"), Int16Array);
  const [repeats, positions] = [file.section("repeats"), file.section("positions")];
  const counts = (table, before) => (table === null || before === 0 ? WHOLE : table[Math.min(before, table.length) - 1]);
  const Values = [Float32Array, Uint16Array, Int8Array][rowType];
  const values = numbers(table, Values);
  const seen = new Map();
  const out = new Float32Array(ids.length * dim);
  ids.forEach((id, n) => {
    const before = seen.get(id) ?? 0;
    seen.set(id, before + 1);
    const count = counts(repeats, before) * counts(positions, n);
    const row = mapping === null ? id : mapping[id];
    if (!(row < rows)) {
      throw new PumiceError(`${file.name}: names a row that it does not have: fetch or compile the model again`);
    }
    let factor;
    if (rowType === 2) {
      const fine = multipliers !== null && multipliers.length > tokens;
      let multiplier = multipliers === null ? 1 : multipliers[id];
      if (fine) multiplier = multiplier * FINE + multipliers[tokens + id];
      factor = Math.fround(Math.floor((multiplier * count + ALL / 2) / ALL) * unit);
    } else {
      factor = Math.fround((count / ALL) * (weights === null ? 1 : weights[id]));
    }
    for (let i = 0; i < dim; ++i) {
      const value = values[row * dimensions + i];
      out[n * dim + i] = factor * (rowType === 1 ? fromHalf(value) : value);
    }
  });
  return out;
}

// A section's bytes as numbers; a section begins at a multiple of 64.
function numbers(bytes, Type) {
  return bytes === null ? null : new Type(bytes.buffer, bytes.byteOffset, bytes.byteLength / Type.BYTES_PER_ELEMENT);
}

function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
