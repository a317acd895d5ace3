// Colours in the page without touching its elements: the CSS Custom Highlight API, boxes over the text without it.
"use strict";

globalThis.pumiceHighlight ??= (() => {
  const LEVELS = 4; // of how much a word earned
  const NAMES = ["pumice-passage", "pumice-current", ...Array.from({ length: LEVELS }, (_, i) => `pumice-word-${i + 1}`)];
  const hasHighlights = typeof Highlight === "function" && globalThis.CSS?.highlights !== undefined;
  const boxes = [];

  // A range over units begin..end of a passage; null where the page has changed under it.
  function rangeOf({ pieces }, begin, end) {
    const at = (unit, isEnd) => {
      for (let i = pieces.length - 1; i >= 0; --i) {
        const [node, from, to, start] = pieces[i];
        if (isEnd ? unit > start : unit >= start) return [node, Math.min(from + unit - start, to)];
      }
      return [pieces[0][0], pieces[0][1]];
    };
    try {
      const range = new Range();
      range.setStart(...at(begin, false));
      range.setEnd(...at(end, true));
      return range.startContainer.isConnected ? range : null;
    } catch {
      return null;
    }
  }

  const wholeOf = (passage) => rangeOf(passage, passage.text.length - passage.text.trimStart().length, passage.text.trimEnd().length);

  // `hits` have `passage` and `words`: [begin, end, share]; the one at `current` is shown stronger.
  function show(hits, current) {
    clear();
    const ranges = new Map(NAMES.map((name) => [name, []]));
    hits.forEach(({ passage, words }, i) => {
      ranges.get(i === current ? "pumice-current" : "pumice-passage").push(wholeOf(passage));
      const most = Math.max(0, ...words.map((word) => word[2]));
      for (const [begin, end, share] of words) {
        const level = Math.max(1, Math.ceil((LEVELS * share) / most));
        if (i === current || level > 1) ranges.get(`pumice-word-${level}`).push(rangeOf(passage, begin, end));
      }
    });
    for (const [name, found] of ranges) {
      const kept = found.filter((range) => range !== null);
      if (!hasHighlights) kept.forEach((range) => box(range, name));
      else if (kept.length > 0) {
        const highlight = new Highlight(...kept);
        highlight.priority = NAMES.indexOf(name);
        CSS.highlights.set(name, highlight);
      }
    }
  }

  function clear() {
    if (hasHighlights) NAMES.forEach((name) => CSS.highlights.delete(name));
    boxes.splice(0).forEach((element) => element.remove());
  }

  function box(range, name) {
    for (const rectangle of range.getClientRects()) {
      const element = document.createElement("div");
      element.className = `pumice-box ${name}`;
      element.ariaHidden = "true";
      Object.assign(element.style, {
        left: `${rectangle.left + scrollX}px`,
        top: `${rectangle.top + scrollY}px`,
        width: `${rectangle.width}px`,
        height: `${rectangle.height}px`,
      });
      document.documentElement.append(element);
      boxes.push(element);
    }
  }

  function scrollTo(passage) {
    const range = wholeOf(passage);
    if (range === null) return false;
    const element = range.startContainer.parentElement;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (let at = element; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    const { top, bottom } = range.getBoundingClientRect();
    const isFar = top < -2 * innerHeight || bottom > 3 * innerHeight; // pages that fly past say nothing
    if (top < 60 || bottom > innerHeight - 20) element.scrollIntoView({ block: "center", behavior: still || isFar ? "instant" : "smooth" });
    return true;
  }

  return { show, clear, scrollTo, LEVELS, NAMES };
})();
