/** Exact search over the codes of passages: sign bits choose, int8 codes rank. */
import { CodeBlocks } from "./code_blocks.js";
import { PumiceError } from "./errors.js";
import { parseFilter } from "./filter.js";
import { readIndex, writeIndex } from "./index_file.js";
import { optionsOf, shown } from "./options.js";
import { kindOf } from "./source.js";
import { checkString } from "./texts.js";

const INT8 = 2;
const BINARY = 3;
const CODES = 28; // bytes of pumice_codes
const HIT = 8; // of pumice_hit
const LEAST_CANDIDATES = 256;
const CANDIDATES = 32; // for each result wanted

export class SearchIndex {
  #model;
  #core;
  #memory;
  #codes;
  #hasBits;
  #ids = []; // by position; undefined where deleted
  #payloads = [];
  #positions = new Map();
  #holes = [];
  #scratch; // pumice_codes, pumice_code_query, a size, the query's codes
  #hits;
  #hitRoom = 0;

  constructor({ model, core, memory }, options) {
    const { dim, codes = "binary" } = optionsOf(options);
    if (codes !== "binary" && codes !== "int8") throw new PumiceError(`codes='${shown(codes)}' is not one of binary, int8`);
    this.#model = model;
    this.#core = core;
    this.#memory = memory;
    this.dim = model.checkedDim(dim);
    this.#hasBits = codes === "binary";
    this.#codes = new CodeBlocks(memory, this.dim, this.#hasBits);
    this.#scratch = memory.take(64 + 2 * this.dim);
  }

  /** An index that `save` wrote; PumiceError where another model filled it or the bytes are damaged. */
  static open(parts, bytes) {
    if (!(bytes instanceof ArrayBuffer) && !ArrayBuffer.isView(bytes)) {
      throw new PumiceError(`the index is ${kindOf(bytes)}: pass the bytes that save returned`);
    }
    const saved = readIndex(bytes, parts.model.fingerprintBytes);
    const index = new SearchIndex(parts, { dim: saved.dim, codes: saved.hasBits ? "binary" : "int8" });
    const width = saved.hasBits ? Math.ceil(saved.dim / 8) : 0;
    const buffer = parts.memory.take(saved.dim + width);
    try {
      for (let i = 0; i < saved.count; ++i) {
        const position = index.#codes.grow();
        const target = parts.memory.bytes(buffer, saved.dim + width);
        target.set(saved.codes.subarray(i * saved.dim, (i + 1) * saved.dim));
        target.set(saved.bits.subarray(i * width, (i + 1) * width), saved.dim);
        index.#codes.write(position, buffer, buffer + saved.dim);
        const [id, payload] = saved.records[i];
        index.#remember(position, id, payload ?? null);
      }
    } finally {
      parts.memory.give(buffer, saved.dim + width);
    }
    return index;
  }

  get size() {
    return this.#positions.size;
  }

  has(id) {
    return this.#positions.has(id);
  }

  add(id, text, payload = null) {
    this.addMany([{ id, text, payload }]);
  }

  /** `{id, text, payload}` of each passage; an id that is there is replaced. All of them or, after an error, none. */
  addMany(records) {
    if (records === null || typeof records !== "object" || !(Symbol.iterator in records)) {
      throw new PumiceError(`records is ${kindOf(records)}: pass an iterable of objects with id and text`);
    }
    const listed = [...records];
    listed.forEach((record, i) => {
      if (record === null || typeof record !== "object") {
        throw new PumiceError(`records[${i}] is ${kindOf(record)}: pass objects with id and text`);
      }
      if (typeof record.id !== "string" && !Number.isSafeInteger(record.id)) {
        throw new PumiceError(`records[${i}].id is ${kindOf(record.id)}: pass a string or a whole number`);
      }
      checkString(record.text, `records[${i}].text`);
    });
    const texts = listed.map((record) => record.text);
    const positions = [];
    try {
      for (const _ of texts) positions.push(this.#holes.pop() ?? this.#codes.grow());
      this.#encodeTo(texts, positions);
    } catch (error) {
      positions.forEach((position) => this.#codes.leaveOut(position, true));
      this.#holes.push(...positions);
      throw error;
    }
    listed.forEach(({ id, payload }, i) => {
      this.delete(id);
      this.#remember(positions[i], id, payload ?? null);
    });
  }

  /** Whether there was such a passage. */
  delete(id) {
    const position = this.#positions.get(id);
    if (position === undefined) return false;
    this.#positions.delete(id);
    this.#codes.leaveOut(position, true);
    this.#ids[position] = undefined;
    this.#payloads[position] = undefined;
    this.#holes.push(position);
    return true;
  }

  search(query, k = 10, options) {
    checkString(query, "query");
    const { filter, candidates } = optionsOf(options);
    if (!Number.isInteger(k) || k < 1) throw new PumiceError(`k=${shown(k)} is not a positive whole number`);
    if (candidates !== undefined && (!Number.isInteger(candidates) || candidates < k)) {
      throw new PumiceError(`candidates=${shown(candidates)} is not a whole number of at least k=${k}`);
    }
    const holds = parseFilter(filter);
    if (holds !== null) this.#codes.filter((i) => this.#ids[i] !== undefined && holds(this.#payloads[i], this.#ids[i]));
    const wanted = Math.min(k, this.size);
    if (wanted === 0) return [];
    const chosen = this.#hasBits ? candidates ?? Math.max(LEAST_CANDIDATES, CANDIDATES * k) : k;
    const room = Math.min(chosen, this.size);
    this.#makeRoom(room);
    const scale = this.#encodeQuery(query);
    let found = this.#nearest(this.#hasBits ? BINARY : INT8, room, holds !== null);
    if (this.#hasBits) this.#rescore(found);
    found = Math.min(found, wanted);
    const positions = this.#memory.words(this.#hits, 2 * found);
    const scores = this.#memory.floats(this.#hits, 2 * found);
    return Array.from({ length: found }, (_, i) => {
      const position = positions[2 * i];
      return { id: this.#ids[position], score: scores[2 * i + 1] * scale, payload: this.#payloads[position] };
    });
  }

  save() {
    const kept = [...this.#positions.values()].sort((a, b) => a - b);
    const width = Math.ceil(this.dim / 8);
    const codes = new Uint8Array(kept.length * this.dim);
    const bits = new Uint8Array(this.#hasBits ? kept.length * width : 0);
    kept.forEach((position, i) => {
      const [code, signs] = this.#codes.read(position);
      codes.set(code, i * this.dim);
      if (this.#hasBits) bits.set(signs, i * width);
    });
    const records = kept.map((at) => (this.#payloads[at] === null ? [this.#ids[at]] : [this.#ids[at], this.#payloads[at]]));
    return writeIndex({
      fingerprint: this.#model.fingerprintBytes,
      dim: this.dim,
      hasBits: this.#hasBits,
      count: kept.length,
      records,
      parts: [codes, bits],
    });
  }

  /** Gives the memory back; the index is empty after it. */
  clear() {
    this.#codes.free();
    this.#positions.clear();
    this.#ids = [];
    this.#payloads = [];
    this.#holes = [];
  }

  #remember(position, id, payload) {
    this.#ids[position] = id;
    this.#payloads[position] = payload;
    this.#positions.set(id, position);
  }

  #encodeTo(texts, positions) {
    const { dim } = this;
    const width = Math.ceil(dim / 8);
    const STEP = 256; // codes that wait for their bits
    const waiting = this.#memory.take(STEP * dim);
    try {
      for (let from = 0; from < texts.length; from += STEP) {
        const some = texts.slice(from, from + STEP);
        this.#model.encodeBatches(some, { dim, dtype: "int8" }, (address, first, count) => {
          const all = this.#memory.bytes(0, this.#memory.size);
          all.copyWithin(waiting + first * dim, address, address + count * dim);
        });
        const write = (i, bits) => this.#codes.write(positions[from + i], waiting + i * dim, bits);
        if (!this.#hasBits) some.forEach((_, i) => write(i, 0));
        else {
          this.#model.encodeBatches(some, { dim, dtype: "binary" }, (address, first, count) => {
            for (let i = 0; i < count; ++i) write(first + i, address + i * width);
          });
        }
      }
    } finally {
      this.#memory.give(waiting, STEP * dim);
    }
  }

  // Writes the query's codes; returns 1 / the norm of its int8 code.
  #encodeQuery(query) {
    const { dim } = this;
    const at = this.#scratch + 64;
    const keep = (offset, size) => (address) => this.#memory.bytes(0, this.#memory.size).copyWithin(at + offset, address, address + size);
    this.#model.encodeBatches([query], { dim, dtype: "int8" }, keep(0, dim));
    if (this.#hasBits) this.#model.encodeBatches([query], { dim, dtype: "binary" }, keep(dim, Math.ceil(dim / 8)));
    const code = new Int8Array(this.#memory.bytes(at, dim).buffer, at, dim);
    let squares = 0;
    for (const value of code) squares += value * value;
    return squares > 0 ? 1 / Math.sqrt(squares) : 0;
  }

  #nearest(type, room, filtered) {
    this.#count = 0;
    for (const block of this.#codes.blocks) {
      this.#describe(block, type, filtered ? block.filtered : block.leftOut);
      this.#core.pumice_nearest(this.#scratch, this.#scratch + CODES, this.#hits, room, this.#scratch + 36);
    }
    return this.#count;
  }

  #rescore(count) {
    for (const block of this.#codes.blocks) {
      this.#describe(block, INT8, 0);
      this.#core.pumice_rescore(this.#scratch, this.#scratch + CODES, this.#hits, count);
    }
  }

  // pumice_codes of a block and pumice_code_query, as they lie in 32-bit memory.
  #describe(block, type, leftOut) {
    const isBinary = type === BINARY;
    const words = this.#memory.words(this.#scratch, 9);
    words.set([
      isBinary ? block.bits : block.codes, this.dim, type, block.count, block.first, isBinary ? 0 : block.scales, leftOut,
      this.#scratch + 64 + (isBinary ? this.dim : 0), type,
    ]);
  }

  get #count() {
    return this.#memory.words(this.#scratch + 36, 1)[0];
  }

  set #count(count) {
    this.#memory.words(this.#scratch + 36, 1)[0] = count;
  }

  #makeRoom(count) {
    if (count <= this.#hitRoom) return;
    if (this.#hitRoom > 0) this.#memory.give(this.#hits, this.#hitRoom * HIT);
    this.#hits = this.#memory.take(count * HIT);
    this.#hitRoom = count;
  }
}
