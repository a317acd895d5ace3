// The page's text as passages: each block's text nodes, cut at sentences, with the way back from text to nodes.
"use strict";

globalThis.pumicePassages ??= (() => {
  const LONGEST = 320; // UTF-16 units of a passage
  const SHORTEST = 2;
  const SLICE = 3; // milliseconds before the page gets its thread back
  const SKIPPED = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "TEXTAREA", "SELECT", "OPTION", "IFRAME", "OBJECT", "SVG", "svg", "CANVAS", "HEAD", "MATH", "math"]);
  const INLINE = new Set(
    "A ABBR B BDI BDO CITE CODE DATA DEL DFN EM FONT I INS KBD LABEL MARK Q RUBY S SAMP SMALL SPAN STRONG SUB SUP TIME U VAR WBR".split(" "),
  );
  const END_OF_SENTENCE = /[.!?。！？؟।](?=["'”’»)\]]*\s)|[。！？]/gu;

  const yielding = () =>
    globalThis.scheduler?.yield ? scheduler.yield() : new Promise((resolve) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => resolve();
      channel.port2.postMessage(null);
    });

  // A passage is {text, pieces: [[node, from, to, at]]}: units from..to of a node stand at `at` in its text.
  class Block {
    text = "";
    pieces = [];

    add(node) {
      const data = node.data;
      let from = 0;
      while (from < data.length) {
        const to = Math.min(data.length, from + 65536);
        this.pieces.push([node, from, to, this.text.length]);
        this.text += data.slice(from, to);
        from = to;
      }
    }

    // Calls `put(passage)` for each part; cut at a sentence's end where there is one, else between words.
    *passages() {
      const text = this.text;
      if (text.length <= LONGEST) {
        if (text.trim().length >= SHORTEST) yield { text, pieces: this.pieces };
        return;
      }
      let first = 0;
      for (let begin = 0; begin < text.length; ) {
        let end = text.length;
        if (end - begin > LONGEST) {
          const some = text.slice(begin, begin + LONGEST);
          let cut = 0;
          for (const match of some.matchAll(END_OF_SENTENCE)) cut = match.index + match[0].length;
          if (cut < LONGEST / 4) cut = some.lastIndexOf(" ") + 1;
          if (cut < LONGEST / 4) cut = LONGEST - (isHigh(text.charCodeAt(begin + LONGEST - 1)) ? 1 : 0);
          end = begin + cut;
        }
        const passage = text.slice(begin, end);
        if (passage.trim().length >= SHORTEST) {
          const pieces = [];
          while (first < this.pieces.length && this.#end(first) <= begin) ++first;
          for (let i = first; i < this.pieces.length && this.pieces[i][3] < end; ++i) {
            const [node, from, to, at] = this.pieces[i];
            const skip = Math.max(0, begin - at);
            pieces.push([node, from + skip, Math.min(to, from + end - at), at + skip - begin]);
          }
          yield { text: passage, pieces };
        }
        begin = end;
      }
    }

    #end(i) {
      const [, from, to, at] = this.pieces[i];
      return at + to - from;
    }
  }

  const isHigh = (unit) => unit >= 0xd800 && unit < 0xdc00;

  // Reads what lies under `root` in slices of a few milliseconds; `put(passages)` for each slice's. `rests()`: what is
  // waited for between them, if not for the page to have had its turn.
  async function collect(root, put, rests) {
    let slice = performance.now();
    let made = [];
    let longest = 0;
    const isOver = () => performance.now() - slice >= SLICE;
    const rest = async () => {
      put(made);
      made = [];
      longest = Math.max(longest, performance.now() - slice);
      await (rests() ?? yielding());
      slice = performance.now();
    };
    let block = new Block();
    const flush = async () => {
      if (block.text.length === 0) return;
      const done = block;
      block = new Block();
      for (const passage of done.passages()) {
        made.push(passage);
        if (isOver()) await rest();
      }
    };
    // By hand, not by a TreeWalker: the ends of blocks count as well as their beginnings.
    let node = root;
    while (node) {
      if (node.nodeType === Node.TEXT_NODE) block.add(node);
      const isBlock = node.nodeType === Node.ELEMENT_NODE && !INLINE.has(node.tagName);
      if (isBlock && block.text.length > 0) await flush();
      const enters = node.nodeType !== Node.ELEMENT_NODE || !(SKIPPED.has(node.tagName) || isHidden(node, isBlock));
      if (enters && node.firstChild) {
        node = node.firstChild;
      } else {
        while (node && node !== root && !node.nextSibling) {
          node = node.parentNode;
          if (node && block.text.length > 0 && !INLINE.has(node.tagName)) await flush();
        }
        if (!node || node === root) break;
        node = node.nextSibling;
      }
      if (isOver()) await rest();
    }
    await flush();
    put(made);
    return Math.max(longest, performance.now() - slice);
  }

  function isHidden(element, isBlock) {
    return element.hidden || element.id === "pumice-find" || (isBlock && element.checkVisibility?.() === false);
  }

  return { collect };
})();
