/** A loaded model file that turns texts into vectors. */
import { PumiceError } from "./errors.js";
import { explanationOf } from "./explanation.js";
import { Memory } from "./memory.js";
import { instantiate, platformOf } from "./module.js";
import { optionsOf, shown } from "./options.js";
import { tokenRows } from "./rows.js";
import { SearchIndex } from "./search_index.js";
import { open, readModel } from "./source.js";
import { checkString, listed, mostBytes, writeTexts } from "./texts.js";
import { trim, trimmingSteps } from "./trimming.js";

// pumice_status, pumice_tokenizer, pumice_section_kind, pumice_vector_type
const MEMORY_TOO_SMALL = 10;
const NO_NATIVE_TOKENIZER = 13;
const WORDPIECE = 1;
const SECTIONS = {
  metadata: 1,
  tokens: 3,
  tokenizer: 4,
  rows: 7,
  tokenRows: 9,
  tokenWeights: 10,
  tokenMultipliers: 15,
  repeats: 16,
  positions: 17,
  packedRows: 18,
};
const DTYPES = { float32: Float32Array, float16: Uint16Array, int8: Int8Array, binary: Uint8Array };
const TYPES = { float32: 0, float16: 1, int8: 2, binary: 3 };
const NONE = 0xffffffff;

const TEXT_ROOM = 256 * 1024;
const OUT_ROOM = 256 * 1024;
const SPARE = 128 * 1024; // of a worker: what texts' intermediate forms and spans take
const CACHES = 2; // this part of the words that the fastest worker remembers: a page counts its memory, its texts are few
const BESIDE_CACHES = 64 * 1024; // at least what a worker holds beside them and fast_size counts
const MOST_TEXTS = 512; // of one call of the core
const decoder = new TextDecoder();

/** Loads a model; see index.d.ts. */
export async function load(source, given) {
  const { verify = false, cache, ...options } = optionsOf(given);
  const opened = await open(source, cache);
  try {
    return await read(opened, verify, options);
  } catch (error) {
    opened.forget?.().catch(() => {}); // a portal's page, a broken file: the next load asks again
    throw error;
  }
}

async function read(opened, verify, options) {
  const memory = new Memory();
  let starting;
  const file = await readModel(opened, memory, (tokenizer) => {
    starting = instantiate(memory.wasm, { ...options, stages: tokenizer > WORDPIECE });
    starting.catch(() => {}); // told below, if the file is not to blame
  });
  const model = new Model({ core: await starting, memory, file, name: opened.name });
  if (options.wasm !== undefined) model.checkCore();
  if (verify) await model.verify();
  return model;
}

export class Model {
  #core;
  #memory;
  #file; // {address, size}
  #model; // address of the view
  #worker;
  #workerSize;
  #spare = SPARE;
  #workerAt;
  #texts; // addresses of scratch
  #list;
  #out;
  #word; // for results that the core writes
  #metadata;
  #trims;

  constructor({ core, memory, file, name }) {
    this.#core = core;
    this.#memory = memory;
    this.#file = file;
    this.name = name;
    this.#word = memory.take(64);
    const size = core.pumice_model_size();
    const view = memory.take(size);
    this.#check(core.pumice_open(file.address, file.size, view, size, this.#word), name);
    this.#model = this.#result();
    core.pumice_describe(this.#word, this.#model);
    const info = memory.words(this.#word, 10);
    const [dimensions, tokens, rows, rowType, tokenizer, unknownId, dropsUnknown] = info;
    const unit = memory.floats(this.#word + 40, 1)[0];
    this.info = { dimensions, tokens, rows, rowType, tokenizer, unknownId, dropsUnknown, unit };
    this.dimensions = dimensions;
    this.#texts = memory.take(TEXT_ROOM);
    this.#list = memory.take(8 * MOST_TEXTS);
    this.#out = memory.take(OUT_ROOM);
    this.#startWorker();
  }

  /** PumiceError where the WebAssembly that was given is the other tokenizers'. */
  checkCore() {
    if (this.info.tokenizer === 0) return;
    const { tokenizer } = this.info;
    const status = this.#core.pumice_tokenize(this.#worker, 0, 0, 0, 0, this.#word);
    if (status !== NO_NATIVE_TOKENIZER) return;
    const wanted = tokenizer > WORDPIECE ? "pumice-stages" : "pumice";
    throw new PumiceError(`${this.name}: its tokenizer is in ${wanted}.wasm: say { wasm: "FOLDER/" } and it is chosen`);
  }

  /** Hex SHA-256 that the file declares; `verify` computes it. */
  get fingerprint() {
    return hex(this.fingerprintBytes);
  }

  get fingerprintBytes() {
    return this.#memory.bytes(this.#file.address + 32, 32).slice();
  }

  get metadata() {
    this.#metadata ??= this.#json("metadata") ?? {};
    return structuredClone(this.#metadata);
  }

  get prefixes() {
    this.#metadata ??= this.#json("metadata") ?? {};
    const { prefixes = null } = this.#metadata;
    if (prefixes !== null && !Array.isArray(prefixes)) {
      throw new PumiceError(`${this.name}: its metadata is damaged (prefixes): fetch or compile the model again`);
    }
    return prefixes;
  }

  /** Bytes of WebAssembly memory: the model, scratch, and the codes of its indexes. */
  get memoryBytes() {
    return this.#memory.size;
  }

  encode(texts, options) {
    const { dim, dtype = "float32", out: given } = optionsOf(options);
    let out = given;
    const strings = listed(texts);
    const width = this.#width(this.checkedDim(dim), dtype);
    const Vectors = DTYPES[dtype];
    const length = (strings.length * width) / Vectors.BYTES_PER_ELEMENT;
    if (out !== undefined && (!(out instanceof Vectors) || out.length !== length)) {
      throw new PumiceError(`out is not what the vectors fit: pass a ${Vectors.name} of ${length} elements`);
    }
    try {
      out ??= new Vectors(length);
    } catch (cause) {
      throw new PumiceError(`out of memory: ${strings.length} vectors of ${width} bytes are too many`, { cause });
    }
    const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    this.encodeBatches(strings, { dim, dtype }, (address, first, count) => {
      bytes.set(this.#memory.bytes(address, count * width), first * width);
    });
    return out;
  }

  /** Calls `take(address, first, count)` for vectors `first` on that lie at `address` until it returns. */
  encodeBatches(strings, { dim, dtype }, take) {
    const dimensions = this.checkedDim(dim);
    const width = this.#width(dimensions, dtype);
    const room = Math.max(1, Math.min(MOST_TEXTS, Math.floor(OUT_ROOM / width)));
    const out = width > OUT_ROOM ? this.#memory.take(width) : this.#out;
    try {
      for (let first = 0; first < strings.length; ) {
        const count = this.#withTexts(strings, first, room, (list, texts) => {
          let done = 0;
          const status = this.#retried(() => {
            const begin = out + done * width;
            const left = texts - done;
            const ended = this.#core.pumice_encode_many(
              this.#worker, list + 8 * done, left, dimensions, TYPES[dtype], begin, this.#word,
            );
            done += this.#result();
            return ended;
          });
          this.#check(status, `texts[${first + done}]`);
          return texts;
        });
        take(out, first, count);
        first += count;
      }
    } finally {
      if (out !== this.#out) this.#memory.give(out, width);
    }
  }

  tokenize(texts) {
    const ids = listed(texts).map((text, i) => this.#tokenize(text, typeof texts === "string" ? "the text" : `texts[${i}]`));
    return typeof texts === "string" ? ids[0] : ids;
  }

  tokenVectors(text, options) {
    checkString(text, "the text");
    const width = this.checkedDim(optionsOf(options).dim);
    const found = this.#spans(text);
    const unitOf = unitsOf(text);
    const spans = found.map(([, begin, end]) => [unitOf(begin), unitOf(end)]);
    const ids = Uint32Array.from(found, ([id]) => id);
    const tokens = Array.from(ids, (id) => this.#token(id));
    for (const addPrefixSpace of this.#trimming()) trim(spans, tokens, addPrefixSpace);
    return { ids, tokens, spans, vectors: tokenRows(this, ids, width), dim: width };
  }

  explain(query, document, options) {
    checkString(query, "query");
    checkString(document, "document");
    const { dim } = optionsOf(options);
    return explanationOf(this.tokenVectors(query, { dim }), this.tokenVectors(document, { dim }));
  }

  index(options) {
    return new SearchIndex({ model: this, core: this.#core, memory: this.#memory }, options);
  }

  openIndex(bytes) {
    return SearchIndex.open({ model: this, core: this.#core, memory: this.#memory }, bytes);
  }

  async verify() {
    const { subtle } = platformOf();
    if (!subtle) {
      throw new PumiceError("verify needs crypto.subtle, which browsers give to pages from https: or localhost only");
    }
    const copy = this.#memory.bytes(this.#file.address, this.#file.size).slice();
    copy.fill(0, 32, 64);
    const digest = new Uint8Array(await subtle.digest("SHA-256", copy));
    if (hex(digest) !== this.fingerprint) {
      throw new PumiceError(`${this.name}: damaged: its content does not match its fingerprint: fetch it again`);
    }
  }

  /** A section's bytes, a view until the memory grows; null where the file has none. */
  section(name) {
    if (!this.#core.pumice_section(this.#model, SECTIONS[name], this.#word, this.#word + 4)) return null;
    const [address, size] = this.#memory.words(this.#word, 2);
    return this.#memory.bytes(address, size);
  }

  checkedDim(dim) {
    if (dim === undefined || dim === null) return this.dimensions;
    if (!Number.isInteger(dim) || dim < 1) throw new PumiceError(`dim=${shown(dim)} is not a positive whole number`);
    if (dim > this.dimensions) {
      throw new PumiceError(`dim=${dim} is larger than the model's ${this.dimensions} dimensions`);
    }
    if (this.prefixes !== null && !this.prefixes.includes(dim)) {
      const valid = this.prefixes.join(", ");
      throw new PumiceError(`dim=${dim} is not among the prefixes that the model keeps valid: ${valid}`);
    }
    return dim;
  }

  #width(dim, dtype) {
    if (typeof dtype !== "string" || !Object.hasOwn(TYPES, dtype)) {
      throw new PumiceError(`dtype='${shown(dtype)}' is not one of ${Object.keys(TYPES).join(", ")}`);
    }
    return this.#core.pumice_vector_size(dim, TYPES[dtype]);
  }

  // Writes texts from `first` on as far as they fit, at most `room`, and calls `use(list, count)`.
  #withTexts(strings, first, room, use) {
    const memory = this.#memory;
    checkString(strings[first], `texts[${first}]`);
    const need = mostBytes(strings[first]);
    const texts = need > TEXT_ROOM ? memory.take(need) : this.#texts;
    try {
      const list = memory.words(this.#list, 2 * MOST_TEXTS);
      let at = 0;
      const count = writeTexts(strings, first, room, memory.bytes(texts, Math.max(need, TEXT_ROOM)), (begin, size) => {
        list[at++] = texts + begin;
        list[at++] = size;
      });
      return use(this.#list, count);
    } finally {
      if (texts !== this.#texts) memory.give(texts, need);
    }
  }

  // Calls the core, again with a larger worker for as long as this one is too small.
  #retried(call) {
    for (;;) {
      const status = call();
      if (status !== MEMORY_TOO_SMALL) return status;
      this.#memory.give(this.#workerAt, this.#workerSize);
      this.#spare *= 2;
      try {
        this.#startWorker();
      } catch (error) {
        this.#spare = SPARE;
        this.#startWorker();
        throw error;
      }
    }
  }

  #startWorker() {
    const least = this.#core.pumice_worker_size(this.#model);
    const fastest = this.#core.pumice_worker_fast_size(this.#model);
    this.#workerSize = least + Math.ceil((fastest - least) / CACHES) + BESIDE_CACHES + this.#spare;
    this.#workerAt = this.#memory.take(this.#workerSize);
    this.#check(this.#core.pumice_worker_init(this.#model, this.#workerAt, this.#workerSize, this.#word), this.name);
    this.#worker = this.#result();
  }

  #tokenize(text, name) {
    checkString(text, name);
    return this.#listed([text], name, 4, (bytes, size, out, room) =>
      this.#core.pumice_tokenize(this.#worker, bytes, size, out, room, this.#word),
    );
  }

  // [id, begin, end] of each token, in bytes.
  #spans(text) {
    const { unknownId, dropsUnknown } = this.info;
    if (this.#trimming().length > 0 && dropsUnknown && unknownId !== NONE) {
      throw new PumiceError(`${this.name}: token spans of this tokenizer need Python's tokenizers library`);
    }
    const numbers = this.#listed([text], "the text", 12, (bytes, size, out, room) =>
      this.#core.pumice_token_spans(this.#worker, bytes, size, out, room, this.#word),
    );
    return Array.from({ length: numbers.length / 3 }, (_, i) => numbers.subarray(3 * i, 3 * i + 3));
  }

  // What a call writes for one text, `width` bytes an item: once more where there was no room.
  #listed(strings, name, width, call) {
    const memory = this.#memory;
    return this.#withTexts(strings, 0, 1, (list) => {
      const [bytes, size] = memory.words(list, 2);
      let [out, room] = [this.#out, Math.floor(OUT_ROOM / width)];
      for (;;) {
        this.#check(this.#retried(() => call(bytes, size, out, room)), name);
        const count = this.#result();
        const fits = count <= room;
        const items = fits ? memory.words(out, (count * width) / 4).slice() : null;
        if (out !== this.#out) memory.give(out, room * width);
        if (fits) return items;
        room = count;
        out = memory.take(room * width);
      }
    });
  }

  #token(id) {
    const table = this.section("tokens");
    const offsets = new Uint32Array(table.buffer, table.byteOffset, this.info.tokens + 1);
    const begin = 4 * offsets.length;
    return decoder.decode(table.subarray(begin + offsets[id], begin + offsets[id + 1]));
  }

  #trimming() {
    this.#trims ??= trimmingSteps(this.#json("tokenizer")?.tokenizer?.post_processor);
    if (this.#trims === null) {
      throw new PumiceError(`${this.name}: its tokenizer section is damaged (post_processor): fetch or compile the model again`);
    }
    return this.#trims;
  }

  #json(name) {
    const bytes = this.section(name);
    if (bytes === null) return null;
    try {
      return JSON.parse(decoder.decode(bytes));
    } catch (cause) {
      throw new PumiceError(`${this.name}: its ${name} section is damaged: fetch or compile the model again`, { cause });
    }
  }

  #result() {
    return this.#memory.words(this.#word, 1)[0];
  }

  #check(status, what) {
    if (status === 0) return;
    const at = this.#core.pumice_status_message(status);
    const bytes = this.#memory.bytes(at, Math.min(256, this.#memory.size - at));
    throw new PumiceError(`${what}: ${decoder.decode(bytes.subarray(0, bytes.indexOf(0)))}`);
  }
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// UTF-16 units before a byte of the text's UTF-8.
function unitsOf(text) {
  const units = new Uint32Array(mostBytes(text) + 1);
  let byte = 0;
  for (let i = 0; i < text.length; ) {
    const point = text.codePointAt(i);
    const size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    units.fill(i, byte, byte + size);
    byte += size;
    i += size === 4 ? 2 : 1;
  }
  units[byte] = text.length;
  return (at) => units[at];
}
