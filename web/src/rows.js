/** What each token of a text adds to the sum that becomes its vector: the row times its weight, repeats as they count. */
import { PumiceError } from "./errors.js";

const WHOLE = 256; // what a token counts where it stands first
const ALL = WHOLE * WHOLE;
const FINE = 32768; // what the first of two multipliers counts
const INT8 = 2; // the first type of rows that are integers
const PACKED_BITS = { 3: 4, 4: 2, 5: 1 }; // of those of less than a byte

/**
 * Float32Array, n × dim, of the tokens `ids`. `file` has `info` and `section(name)`; the arithmetic is the core's,
 * one rounding to float32 an operation.
 */
export function tokenRows(file, ids, dim) {
  const { dimensions, rows, rowType, tokens, unit } = file.info;
  const mapping = numbers(file.section("tokenRows"), Uint32Array);
  const weights = numbers(file.section("tokenWeights"), Float32Array);
  const multipliers = numbers(file.section("tokenMultipliers"), Int16Array);
  const [repeats, positions] = [file.section("repeats"), file.section("positions")];
  const counts = (table, before) => (table === null || before === 0 ? WHOLE : table[Math.min(before, table.length) - 1]);
  const value = reader(file, rowType, dimensions);
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
    if (rowType >= INT8) {
      const fine = multipliers !== null && multipliers.length > tokens;
      let multiplier = multipliers === null ? 1 : multipliers[id];
      if (fine) multiplier = multiplier * FINE + multipliers[tokens + id];
      factor = Math.fround(Math.floor((multiplier * count + ALL / 2) / ALL) * unit);
    } else {
      factor = Math.fround((count / ALL) * (weights === null ? 1 : weights[id]));
    }
    for (let i = 0; i < dim; ++i) {
      out[n * dim + i] = factor * value(row, i);
    }
  });
  return out;
}

// A function of row and dimension.
function reader(file, rowType, dimensions) {
  const bits = PACKED_BITS[rowType];
  if (bits === undefined) {
    const values = numbers(file.section("rows"), [Float32Array, Uint16Array, Int8Array][rowType]);
    if (rowType === 1) return (row, i) => fromHalf(values[row * dimensions + i]);
    return (row, i) => values[row * dimensions + i];
  }
  const bytes = file.section("packedRows");
  const size = Math.ceil((dimensions * bits) / 8);
  const largest = (1 << bits) - 1;
  return (row, i) => 2 * ((bytes[row * size + ((i * bits) >> 3)] >> ((i * bits) & 7)) & largest) - largest;
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
