/** Strings checked and written as UTF-8 to the core's memory, many texts at a time. */
import { PumiceError } from "./errors.js";
import { kindOf } from "./source.js";

const encoder = new TextEncoder();
const LONE = /\p{Surrogate}/u;
const SHORT = 48; // up to here a loop is quicker than the encoder's call
const TOGETHER = 16384; // UTF-16 units of texts that one call of the encoder takes

/** PumiceError unless `text` is a string that UTF-8 can carry. */
export function checkString(text, name) {
  checkType(text, name);
  if (!isWellFormed(text)) {
    throw new PumiceError(
      `${name} holds a lone surrogate, which UTF-8 cannot carry: clean it with text.toWellFormed()`,
    );
  }
}

function checkType(text, name) {
  if (typeof text !== "string") throw new PumiceError(`${name} is ${kindOf(text)}, not a string: pass strings only`);
}

const isWellFormed = (text) => (text.isWellFormed ? text.isWellFormed() : !LONE.test(text));

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
  return text.length <= TOGETHER ? 3 * text.length : byteLength(text);
}

function byteLength(text) {
  let bytes = text.length;
  for (let i = 0; i < text.length; ++i) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2; // a pair of surrogates takes four bytes
  }
  return bytes;
}

/**
 * Writes texts from `first` on, `most` at most, as far as `bytes` has room; there is room for the first. Calls
 * `put(begin, size)` for each and returns how many. Short ones go together: a call of the encoder costs as much as
 * hundreds of bytes.
 */
export function writeTexts(strings, first, most, bytes, put) {
  const end = Math.min(strings.length, first + most);
  let [i, at] = [first, 0];
  while (i < end) {
    const begin = i;
    let units = 0;
    for (; i < end; ++i, ++units) {
      checkType(strings[i], `texts[${i}]`);
      units += strings[i].length;
      if (units > TOGETHER || 3 * (units + 1) > bytes.length - at) break;
    }
    if (i === begin) {
      if (i > first && mostBytes(strings[i]) > bytes.length - at) break;
      at += writeOne(strings[i++], begin, bytes, at, put);
    } else if (i === begin + 1) {
      at += writeOne(strings[begin], begin, bytes, at, put);
    } else {
      at += writeTogether(strings.slice(begin, i), begin, bytes, at, put);
    }
  }
  return i - first;
}

function writeOne(text, i, bytes, at, put) {
  checkString(text, `texts[${i}]`);
  const written = writeText(text, bytes, at);
  put(at, written);
  return written;
}

// With a NUL after each but the last, which tells them apart, unless a text holds one.
function writeTogether(texts, first, bytes, at, put) {
  const joined = texts.join("\0");
  if (!isWellFormed(joined)) texts.forEach((text, i) => checkString(text, `texts[${first + i}]`));
  const { written } = encoder.encodeInto(joined, bytes.subarray(at));
  const sizes = written === joined.length ? texts.map((text) => text.length) : sizesIn(bytes.subarray(at, at + written), texts);
  for (const size of sizes) {
    put(at, size);
    at += size + 1;
  }
  return written;
}

function sizesIn(bytes, texts) {
  let at = 0;
  const sizes = texts.map((_, i) => {
    const end = i === texts.length - 1 ? bytes.length : bytes.indexOf(0, at);
    const size = end - at;
    at = end + 1;
    return size;
  });
  const held = bytes.indexOf(0, at - 1 - sizes.at(-1)) >= 0;
  return held ? texts.map(byteLength) : sizes;
}

// How many bytes it took; there is room for mostBytes(text).
function writeText(text, bytes, at) {
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
