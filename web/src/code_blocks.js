/** The codes of an index in the core's memory: blocks that never move, larger the more there are. */

const LEAST = 256;
const MOST = 8192;

export class CodeBlocks {
  #memory;
  #dim;
  #width; // bytes of a passage's sign bits; 0 where the index keeps none
  #blocks = [];
  length = 0;

  constructor(memory, dim, hasBits) {
    this.#memory = memory;
    this.#dim = dim;
    this.#width = hasBits ? Math.ceil(dim / 8) : 0;
  }

  get blocks() {
    return this.#blocks;
  }

  /** A new position at the end. */
  grow() {
    const last = this.#blocks.at(-1);
    if (last === undefined || last.count === last.room) this.#add();
    this.#blocks.at(-1).count += 1;
    return this.length++;
  }

  /** Takes an int8 code and its bits from elsewhere in memory; the scale is 1 / the code's norm. */
  write(position, code, bits) {
    const [block, i] = this.#place(position);
    const all = this.#memory.bytes(0, this.#memory.size);
    const at = block.codes + i * this.#dim;
    all.copyWithin(at, code, code + this.#dim);
    if (this.#width > 0) all.copyWithin(block.bits + i * this.#width, bits, bits + this.#width);
    let squares = 0;
    const values = new Int8Array(all.buffer, at, this.#dim);
    for (let d = 0; d < values.length; ++d) squares += values[d] * values[d];
    this.#memory.floats(block.scales, block.room)[i] = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    this.leaveOut(position, false);
  }

  leaveOut(position, out) {
    const [block, i] = this.#place(position);
    const bytes = this.#memory.bytes(block.leftOut, block.room / 8);
    if (out) bytes[i >> 3] |= 1 << (i & 7);
    else bytes[i >> 3] &= ~(1 << (i & 7));
  }

  /** Views of one passage's code and bits. */
  read(position) {
    const [block, i] = this.#place(position);
    const code = this.#memory.bytes(block.codes + i * this.#dim, this.#dim);
    return [code, this.#memory.bytes(block.bits + i * this.#width, this.#width)];
  }

  /** Sets each block's `filtered` bits: those left out, and those whose position `holds` refuses. */
  filter(holds) {
    for (const block of this.#blocks) {
      const from = this.#memory.bytes(block.leftOut, block.room / 8);
      const to = this.#memory.bytes(block.filtered, block.room / 8);
      to.set(from);
      for (let i = 0; i < block.count; ++i) {
        const bit = 1 << (i & 7);
        if ((to[i >> 3] & bit) === 0 && !holds(block.first + i)) to[i >> 3] |= bit;
      }
    }
  }

  free() {
    for (const { address, size } of this.#blocks) this.#memory.give(address, size);
    this.#blocks = [];
    this.length = 0;
  }

  #place(position) {
    let [low, high] = [0, this.#blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#blocks[middle].first <= position) low = middle;
      else high = middle - 1;
    }
    return [this.#blocks[low], position - this.#blocks[low].first];
  }

  #add() {
    const room = Math.min(MOST, Math.max(LEAST, this.length));
    const sizes = [room * this.#dim, room * this.#width, 4 * room, room / 8, room / 8];
    const size = sizes.reduce((sum, one) => sum + one, 0);
    const address = this.#memory.take(size);
    const [codes, bits, scales, leftOut, filtered] = sizes.map(
      (_, i) => address + sizes.slice(0, i).reduce((sum, one) => sum + one, 0),
    );
    this.#memory.bytes(leftOut, room / 8).fill(0);
    this.#blocks.push({ address, size, room, count: 0, first: this.length, codes, bits, scales, leftOut, filtered });
  }
}
