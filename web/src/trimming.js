/** What a byte-level post-processor does to spans: white space at the ends of tokens is taken off. */

/**
 * The steps of a tokenizer.json's post_processor that trim, in order; each by its `add_prefix_space`. Null where it is
 * damaged.
 */
export function trimmingSteps(postProcessor) {
  if (postProcessor === null || postProcessor === undefined) return [];
  if (typeof postProcessor.type !== "string") return null;
  if (postProcessor.type === "Sequence") {
    const { processors } = postProcessor;
    const steps = Array.isArray(processors) ? processors.map((step) => (step === null ? null : trimmingSteps(step))) : [null];
    return steps.includes(null) ? null : steps.flat();
  }
  const trims = ["ByteLevel", "RobertaProcessing"].includes(postProcessor.type) && postProcessor.trim_offsets;
  return trims ? [postProcessor.add_prefix_space] : [];
}

/** Spans, `[begin, end]` in characters and changed in place, as one step leaves them. */
export function trim(spans, tokens, addPrefixSpace) {
  spans.forEach((span, row) => {
    const characters = [...tokens[row]];
    const [leading, trailing] = [spaces(characters), spaces(characters.reverse())];
    let [begin, end] = span;
    if (leading && !(addPrefixSpace && (row === 0 || begin === 0))) begin = Math.min(begin + leading, end);
    if (trailing && end >= trailing) end = Math.max(end - trailing, begin);
    span[0] = begin;
    span[1] = end;
  });
}

// \u0120 is what byte-level tokenizers write for a space.
function spaces(characters) {
  let count = 0;
  while (count < characters.length && /^[\u0120\p{White_Space}]$/u.test(characters[count])) ++count;
  return count;
}
