/** Strings checked and written as UTF-8 to the core's memory, many texts at a time. */
import { PumiceError } from "./errors.js";
import { kindOf } from "./source.js";

const encoder = new TextEncoder();
const LONE = /\p{Surrogate}/u;
const SHORT = 48; // up to here a loop is quicker than the encoder's call

/** PumiceError unless `text` is a string that UTF-8 can carry. */
export function checkString(text, name) {
  if (typeof text !== "string") throw new PumiceError(`${name} is ${kindOf(text)}, not a string: pass strings only`);
  if (text.isWellFormed ? !text.isWellFormed() : LONE.test(text)) {
    throw new PumiceError(
      `${name} holds a lone surrogate, which UTF-8 cannot carry: clean it with text.toWellFormed()`,
    );
  }
}

/** Texts as an array; a string is one text. */
export function listed(texts) {
  if (typeof texts === "string") return [texts];
  if (Array.isArray(texts)) return texts;
  if (texts === null || typeof texts !== "object" || !(Symbol.iterator in texts) || ArrayBuffer.isView(texts)) {
    throw new PumiceError(`texts is ${kindOf(texts)}: pass a string or an iterable of strings`);
  }
  return [...texts];
}

/** At least the bytes that `text` takes as UTF-8: three times its length, or, for long ones, exactly. */
export function mostBytes(text) {
  if (text.length < 16384) return 3 * text.length;
  let bytes = text.length;
  for (let i = 0; i < text.length; ++i) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2; // a pair of surrogates takes four bytes
  }
  return bytes;
}

/** Writes `text` to `bytes` from `at` on; how many bytes it took. There is room for `mostBytes(text)`. */
export function writeText(text, bytes, at) {
  let i = 0;
  if (text.length <= SHORT) {
    for (; i < text.length; ++i) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) break;
      bytes[at + i] = unit;
    }
    if (i === text.length) return i;
  }
  return encoder.encodeInto(text, bytes.subarray(at)).written;
}
