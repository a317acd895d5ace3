/** Filters of payloads as a user writes them: `{year: {gte: 2020}, tag: ["a", "b"]}`, or a function. */
import { PumiceError } from "./errors.js";
import { kindOf } from "./source.js";

const BOUNDS = {
  gte: (value, bound) => value >= bound,
  gt: (value, bound) => value > bound,
  lte: (value, bound) => value <= bound,
  lt: (value, bound) => value < bound,
};

/** A function of payload and id; null where there is no filter. All conditions must hold. */
export function parseFilter(filter) {
  if (filter === undefined || filter === null) return null;
  if (typeof filter === "function") return filter;
  if (typeof filter !== "object" || Array.isArray(filter)) {
    throw new PumiceError(`filter is ${kindOf(filter)}: pass an object of conditions or a function`);
  }
  const conditions = Object.entries(filter).map(([key, wanted]) => conditionOf(key, wanted));
  return (payload) => conditions.every(([key, holds]) => holds(payload?.[key]));
}

// A value asks for equality with the payload's value or one of its elements, null for a missing one.
function conditionOf(key, wanted) {
  if (wanted === null) return [key, (value) => value === undefined || value === null || (Array.isArray(value) && value.length === 0)];
  if (Array.isArray(wanted)) return [key, (value) => elements(value).some((one) => wanted.includes(one))];
  if (typeof wanted !== "object") return [key, (value) => elements(value).includes(wanted)];
  const bounds = Object.entries(wanted);
  const unknown = bounds.find(([name, bound]) => !Object.hasOwn(BOUNDS, name) || !isBound(bound));
  if (unknown || bounds.length === 0) {
    throw new PumiceError(`filter: ${key} asks for ${asked(wanted)}: gte, gt, lte and lt take numbers or strings`);
  }
  return [
    key,
    (value) => elements(value).some((one) => bounds.every(([name, bound]) => typeof one === typeof bound && BOUNDS[name](one, bound))),
  ];
}

// JSON has no word for a bigint.
function asked(wanted) {
  return JSON.stringify(wanted, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}

function elements(value) {
  return Array.isArray(value) ? value : [value];
}

function isBound(bound) {
  return typeof bound === "string" || Number.isFinite(bound);
}
