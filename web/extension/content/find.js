// Ties it together on the page: passages go to the extension's worker, queries and hits come back to the bar.
"use strict";

(() => {
  if (globalThis.pumiceFind?.isOpen()) return globalThis.pumiceFind.focus();

  const { collect } = globalThis.pumicePassages;
  const highlight = globalThis.pumiceHighlight;
  const started = performance.now();
  const passages = [];
  const times = { ready: 0, longest: 0 };
  let port = chrome.runtime.connect({ name: "find" });
  let hits = [];
  let current = 0;
  let number = 0; // of the last query
  let embedded = false;
  let changes = null;

  const bar = globalThis.pumiceBar.open({ query: ask, step, close });
  bar.tell("Reading…", false);

  port.onMessage.addListener(answer);
  // The browser may end the worker of a page that rests: it starts again with what it is sent.
  port.onDisconnect.addListener(() => {
    if (!bar.host.isConnected) return;
    port = chrome.runtime.connect({ name: "find" });
    port.onMessage.addListener(answer);
    const texts = passages.map((passage) => passage.text);
    for (let i = 0; i < texts.length; i += 500) port.postMessage({ passages: texts.slice(i, i + 500), last: i + 500 >= texts.length });
    if (bar.input.value.trim()) ask(bar.input.value);
  });

  read(document.body).then(watch);

  async function read(root) {
    const longest = await collect(root, (some) => {
      if (some.length === 0) return;
      passages.push(...some);
      port.postMessage({ passages: some.map((passage) => passage.text), last: false });
    });
    port.postMessage({ passages: [], last: true });
    times.longest = Math.max(times.longest, longest);
  }

  // What the page adds while it loads, or later, is read as it comes.
  function watch() {
    let added = new Set();
    let waiting = false;
    changes = new MutationObserver((records) => {
      for (const { addedNodes } of records) {
        for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE && node !== bar.host && !node.classList.contains("pumice-box")) added.add(node);
      }
      if (waiting || added.size === 0) return;
      waiting = true;
      setTimeout(async () => {
        const roots = [...added].filter((node) => node.isConnected && ![...added].some((other) => other !== node && other.contains(node)));
        added = new Set();
        waiting = false;
        for (const root of roots) await read(root);
        if (bar.input.value.trim()) ask(bar.input.value);
      }, 200);
    });
    changes.observe(document.body, { childList: true, subtree: true });
  }

  function answer(message) {
    if (message.error) return bar.tell(message.error, false);
    if ("embedded" in message) {
      if (!message.last) return;
      if (!embedded) times.ready = performance.now() - started;
      embedded = true;
      if (bar.input.value.trim()) ask(bar.input.value);
      else bar.tell(`${passages.length} passages`, false);
      return;
    }
    if (message.number !== number) return;
    hits = message.hits.map((hit) => ({ ...hit, passage: passages[hit.id] })).filter((hit) => hit.passage !== undefined);
    current = 0;
    show();
  }

  function ask(text) {
    ++number;
    if (text.trim() !== "") return port.postMessage({ query: text, number });
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
    changes?.disconnect();
    highlight.clear();
    bar.remove();
    port.disconnect();
  }

  globalThis.pumiceFind = {
    isOpen: () => bar.host.isConnected,
    focus: bar.focus,
    // For tests, which are in this world of the page; pages are not.
    state: () => ({ hits: hits.map((hit) => ({ text: hit.passage.text, words: hit.words, score: hit.score })), current, embedded, passages: passages.length, told: bar.text(), ...times }),
    type: (text) => ((bar.input.value = text), ask(text)),
    step,
    close,
  };
})();
