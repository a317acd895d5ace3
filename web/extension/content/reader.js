// The page's passages and the way to the extension's worker: read once, sent again where the browser ended the worker.
"use strict";

globalThis.pumiceReader ??= (() => {
  const AT_ONCE = 500; // passages of a message when all are sent again
  const CHANGES_REST = 200; // milliseconds after a change before what it added is read
  const passages = [];
  const times = { longest: 0 };
  let early = false; // read before anybody asked, and kept when the bar closes
  let listener = null;
  let port = null;
  let opened = 0; // how often reading began
  let reading = false;
  let whole = false; // the page has been read once,
  let embedded = false; // and the worker has all of it
  let changes = null;
  // While nobody waits for it, reading goes on when the page rests.
  const rests = () => (listener === null ? new Promise((resolve) => requestIdleCallback(resolve)) : undefined);

  function connect() {
    if (port !== null) return;
    port = chrome.runtime.connect({ name: "find" });
    port.onMessage.addListener((message) => {
      if (message.last) embedded = true;
      listener?.(message);
    });
    // The browser ends a worker that rests.
    port.onDisconnect.addListener(() => {
      port = null;
      embedded = false;
      if (listener !== null) connect();
    });
    for (let i = 0; i < passages.length; i += AT_ONCE) send(passages.slice(i, i + AT_ONCE), false);
    if (passages.length > 0) send([], whole);
  }

  const send = (some, last) => port?.postMessage({ passages: some.map((passage) => passage.text), last });

  async function read(root) {
    const mine = opened;
    const put = (some) => {
      if (some.length === 0 || mine !== opened) return;
      passages.push(...some);
      send(some, false);
    };
    const longest = await globalThis.pumicePassages.collect(root, put, rests);
    if (mine !== opened) return;
    whole = true;
    send([], true);
    times.longest = Math.max(times.longest, longest);
  }

  async function start() {
    connect();
    if (reading) return;
    reading = true;
    const mine = ++opened;
    await read(document.body);
    if (mine === opened) watch();
  }

  // What the page adds while it loads, or later, is read as it comes.
  function watch() {
    const isOurs = (node) => node.id === "pumice-find" || node.classList.contains("pumice-box");
    let added = new Set();
    let waiting = false;
    changes = new MutationObserver((records) => {
      for (const { addedNodes } of records) {
        for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE && !isOurs(node)) added.add(node);
      }
      if (waiting || added.size === 0) return;
      waiting = true;
      setTimeout(async () => {
        const roots = [...added].filter((node) => node.isConnected && ![...added].some((other) => other !== node && other.contains(node)));
        added = new Set();
        waiting = false;
        for (const root of roots) await read(root);
      }, CHANGES_REST);
    });
    changes.observe(document.body, { childList: true, subtree: true });
  }

  return {
    passages,
    times,
    early: () => ((early = true), start()),
    // `heard(message)` is told what the worker answers, and at once whether it has embedded the page.
    open(heard) {
      listener = heard;
      if (embedded) heard({ embedded: passages.length, last: true });
      start();
    },
    ask: (query, number) => port?.postMessage({ query, number }),
    close() {
      listener = null;
      if (early) return;
      changes?.disconnect();
      port?.disconnect();
      port = changes = null;
      reading = whole = embedded = false;
      passages.length = 0;
      ++opened;
    },
  };
})();
