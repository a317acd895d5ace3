/** Options as a caller gave them, and values as errors show them. */
import { PumiceError } from "./errors.js";
import { kindOf } from "./source.js";

/** `given`, or no options where it is undefined; PumiceError where it is not an object of options. */
export function optionsOf(given = {}) {
  if (given === null || typeof given !== "object" || Array.isArray(given) || ArrayBuffer.isView(given)) {
    throw new PumiceError(`options is ${kindOf(given)}: pass an object, or nothing`);
  }
  return given;
}

/** A number or a string as it is, of anything else its kind: not all values can be made strings. */
export function shown(value) {
  return typeof value === "number" || typeof value === "string" ? value : kindOf(value);
}
