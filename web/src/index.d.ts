/** Types of pumice; each sentence here holds in browsers, workers, Node, Deno and Bun. */

/** How a vector is written: float16 as its bits in a Uint16Array, binary a bit a dimension, first in the highest. */
export type Dtype = "float32" | "float16" | "int8" | "binary";

export interface Vectors {
  float32: Float32Array;
  float16: Uint16Array;
  int8: Int8Array;
  binary: Uint8Array;
}

/** A URL (in Node a path too), a file's bytes, a Response, or a Blob. */
export type Source = string | URL | ArrayBuffer | ArrayBufferView | Response | Blob;

export interface LoadOptions {
  /** Compute the file's SHA-256 and refuse a file that does not match. Default: false; every bound is always checked. */
  verify?: boolean;
  /**
   * A name of the Cache API's: a URL's bytes are kept there and not asked for again, so a new model is a new URL. From there
   * a model is ready in half the time that the browser's own cache takes, offline too. Browsers alone; elsewhere it is fetched.
   */
  cache?: string;
  /** Which build: default is the one with SIMD where the engine has it. Results are the same. */
  simd?: boolean;
  /**
   * Where the package's wasm/*.wasm lie, for bundlers that do not find them: the address of their folder, with "/" at its
   * end, so that the file which the model needs is taken; or the URL, bytes or module of that one.
   */
  wasm?: string | URL | BufferSource | WebAssembly.Module;
}

/** Loads a model. Rejects with PumiceError; what was loaded before stays usable. */
export function load(source: Source, options?: LoadOptions): Promise<Model>;

/** Every error that pumice raises on purpose: one sentence saying what, where and what to do. */
export class PumiceError extends Error {}

/** Whether this engine runs the build with SIMD. */
export function hasSimd(): boolean;

export interface EncodeOptions<D extends Dtype = Dtype> {
  /** Keep the first dimensions; one of `prefixes` where the model names them. Normalised after the cut. */
  dim?: number;
  dtype?: D;
  /** Filled and returned, in place of new memory, which costs a fifth of the time: of the dtype's type and just as long. */
  out?: Vectors[D];
}

/** The n tokens of a text that enter its mean, in order. */
export interface TokenVectors {
  ids: Uint32Array;
  /** As the vocabulary spells them. */
  tokens: string[];
  /** Where each stands: `text.slice(begin, end)`. */
  spans: [begin: number, end: number][];
  /** n × dim: what each adds to the sum that becomes the mean. */
  vectors: Float32Array;
  dim: number;
}

export interface Explanation {
  /** The cosine. */
  score: number;
  query: TokenVectors;
  document: TokenVectors;
  /** Query tokens × document tokens; they add up to the score. */
  shares: Float64Array;
  queryShares: Float64Array;
  documentShares: Float64Array;
}

/** What each token of a document adds to its cosine with a query. */
export function documentShares(query: TokenVectors, document: TokenVectors): Float64Array;

/** The words of a text as a reader sees them, each with the sum of its tokens' shares; `spans` are its tokens'. */
export function wordShares(
  text: string,
  spans: readonly [begin: number, end: number][],
  shares: ArrayLike<number>,
): [begin: number, end: number, share: number][];

/** A static text embedding model. Immutable; one thread uses it at a time. */
export class Model {
  private constructor();
  readonly name: string;
  readonly dimensions: number;
  /** Dimensions that vectors may be cut to; null where the model makes no claim and any may be tried. */
  readonly prefixes: number[] | null;
  /** What the file says of itself to people: licence, source, rules, provenance. */
  readonly metadata: Record<string, unknown>;
  /** Hex SHA-256 of the model file: equal fingerprints, equal vectors. */
  readonly fingerprint: string;
  /** Bytes of WebAssembly memory: the model, scratch, and the codes of its indexes. */
  readonly memoryBytes: number;
  /** The vectors of one text or of many, n × dim (binary: n × ceil(dim / 8)) one after the other. */
  encode<D extends Dtype = "float32">(texts: string | Iterable<string>, options?: EncodeOptions<D>): Vectors[D];
  /** Token ids as they enter the mean. */
  tokenize(text: string): Uint32Array;
  tokenize(texts: Iterable<string>): Uint32Array[];
  /** Each token of a text that enters the mean: its id, its place in the text, what it adds. */
  tokenVectors(text: string, options?: { dim?: number }): TokenVectors;
  /** Why two texts are as similar as they are: each token pair's exact share of their cosine. */
  explain(query: string, document: string, options?: { dim?: number }): Explanation;
  /** A new, empty index over this model's codes. */
  index(options?: IndexOptions): SearchIndex;
  /** An index that `save` wrote. PumiceError where another model filled it or the bytes are damaged. */
  openIndex(bytes: ArrayBuffer | ArrayBufferView): SearchIndex;
  /** Rejects if the content does not match the fingerprint. */
  verify(): Promise<void>;
}

export interface IndexOptions {
  /** Dimensions that are kept; default all. */
  dim?: number;
  /** "binary" finds candidates by sign bits and ranks them by int8 codes; "int8" ranks every passage. */
  codes?: "binary" | "int8";
}

export type Id = string | number;
export type Payload = Record<string, unknown> | null;

export interface Hit<P = Payload> {
  id: Id;
  /** The cosine of the int8 codes. */
  score: number;
  payload: P;
}

type Scalar = string | number | boolean;
/** A value or one of several; null: missing; bounds of numbers or strings. A payload's array matches by any element. */
export type Condition = Scalar | Scalar[] | null | { gte?: number | string; gt?: number | string; lte?: number | string; lt?: number | string };

export interface SearchOptions {
  /** All conditions must hold; or a function of payload and id. */
  filter?: Record<string, Condition> | ((payload: Payload, id: Id) => boolean);
  /** How many passages sign bits choose for int8 codes to rank; default 32 times k, at least 256. */
  candidates?: number;
}

/** Passages of one model, searched exactly. */
export class SearchIndex {
  private constructor();
  readonly size: number;
  readonly dim: number;
  has(id: Id): boolean;
  /** Adds a passage, in place of one of the same id. Payloads are JSON. */
  add(id: Id, text: string, payload?: Payload): void;
  /** Adds many, sooner; after an error none of them are in. */
  addMany(records: Iterable<{ id: Id; text: string; payload?: Payload }>): void;
  /** Whether there was such a passage. */
  delete(id: Id): boolean;
  /** The best k passages, best first. */
  search(query: string, k?: number, options?: SearchOptions): Hit[];
  /** The whole index as bytes, with a checksum and the model's fingerprint. */
  save(): ArrayBuffer;
  /** Gives the memory back; the index is empty after it. */
  clear(): void;
}
