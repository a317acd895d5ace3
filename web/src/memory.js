/** Places in a WebAssembly memory: taken, given back, joined again; the memory grows where none is large enough. */
import { PumiceError } from "./errors.js";

const PAGE = 65536;
const ALIGNMENT = 16;
const CORE = 5; // pages that the core's stack, tables and variables take at most: web/wasm.mk

export class Memory {
  /** What the core imports; it exists before the core, so that a model can be read while the core is compiled. */
  wasm;
  #free = []; // [begin, end), by address; neighbours are one

  constructor() {
    this.wasm = new WebAssembly.Memory({ initial: CORE });
  }

  /** The address of `size` bytes, aligned to 16. Views made before may be detached. */
  take(size) {
    const need = aligned(Math.max(size, 1));
    let at = this.#free.findIndex(([begin, end]) => end - begin >= need);
    if (at < 0) at = this.#grow(need);
    const gap = this.#free[at];
    const address = gap[0];
    gap[0] += need;
    if (gap[0] === gap[1]) this.#free.splice(at, 1);
    return address;
  }

  give(address, size) {
    const end = address + aligned(Math.max(size, 1));
    let at = this.#free.findIndex((gap) => gap[0] > address);
    if (at < 0) at = this.#free.length;
    this.#free.splice(at, 0, [address, end]);
    for (const i of [at, at - 1]) {
      const [gap, next] = [this.#free[i], this.#free[i + 1]];
      if (gap && next && gap[1] === next[0]) {
        gap[1] = next[1];
        this.#free.splice(i + 1, 1);
      }
    }
  }

  bytes(address, size) {
    return new Uint8Array(this.wasm.buffer, address, size);
  }

  words(address, count) {
    return new Uint32Array(this.wasm.buffer, address, count);
  }

  floats(address, count) {
    return new Float32Array(this.wasm.buffer, address, count);
  }

  get size() {
    return this.wasm.buffer.byteLength;
  }

  #grow(need) {
    const size = this.size;
    const last = this.#free.at(-1);
    const spare = last && last[1] === size ? size - last[0] : 0;
    const pages = Math.ceil((need - spare) / PAGE);
    try {
      this.wasm.grow(pages);
    } catch (cause) {
      const asked = Math.ceil(need / 1e6);
      throw new PumiceError(`out of memory: ${asked} MB more than the ${Math.ceil(size / 1e6)} MB in use are not to be had`, {
        cause,
      });
    }
    if (spare) last[1] += pages * PAGE;
    else this.#free.push([size, size + pages * PAGE]);
    return this.#free.length - 1;
  }
}

function aligned(size) {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
