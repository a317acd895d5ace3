// Ties it together on the page: passages go to the extension's worker, queries and hits come back to the bar.
"use strict";

(() => {
  if (globalThis.pumiceFind?.isOpen()) return globalThis.pumiceFind.focus();

  const highlight = globalThis.pumiceHighlight;
  const reader = globalThis.pumiceReader;
  const { passages } = reader;
  const started = performance.now();
  let ready = 0;
  let hits = [];
  let current = 0;
  let number = 0; // of the last query,
  let answered = 0; // and of the last answer
  let embedded = false;

  const bar = globalThis.pumiceBar.open({ query: ask, step, close });
  bar.tell("Reading…", false);
  reader.open(answer);

  function answer(message) {
    if (message.error) return bar.tell(message.error, false);
    if ("embedded" in message) {
      if (!message.last) return;
      if (!embedded) ready = performance.now() - started;
      embedded = true;
      if (bar.input.value.trim()) ask(bar.input.value);
      else bar.tell(`${passages.length} passages`, false);
      return;
    }
    if (message.number !== number) return;
    answered = number;
    hits = message.hits.map((hit) => ({ ...hit, passage: passages[hit.id] })).filter((hit) => hit.passage !== undefined);
    current = 0;
    show();
  }

  function ask(text) {
    ++number;
    if (text.trim() !== "") return reader.ask(text, number);
    hits = [];
    highlight.clear();
    bar.tell(`${passages.length} passages`, false);
  }

  function step(by) {
    if (hits.length === 0) return;
    current = (current + by + hits.length) % hits.length;
    show();
  }

  function show() {
    highlight.show(hits, current);
    if (hits.length === 0) return bar.tell("Nothing near", false);
    bar.tell(`${current + 1} of ${hits.length}`, true);
    highlight.scrollTo(hits[current].passage);
  }

  function close() {
    highlight.clear();
    bar.remove();
    reader.close();
  }

  globalThis.pumiceFind = {
    isOpen: () => bar.host.isConnected,
    focus: bar.focus,
    // For tests, which are in this world of the page; pages are not.
    state: () => ({ hits: hits.map((hit) => ({ text: hit.passage.text, words: hit.words, score: hit.score })), current, query: bar.input.value, answered: answered === number, embedded, passages: passages.length, told: bar.text(), ready, ...reader.times }),
    type: (text) => ((bar.input.value = text), ask(text)),
    step,
    close,
  };
})();
