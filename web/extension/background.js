// The extension's worker: keeps the model, embeds what a page sends, answers its queries. Nothing leaves the browser.
import { documentShares, load, wordShares } from "./pumice/src/index.js";

const scripts = (...names) => names.map((name) => `content/${name}.js`);
const CONTENT = scripts("passages", "reader", "highlight", "bar", "find");
const EARLY = { id: "early", js: scripts("passages", "reader", "early"), runAt: "document_idle" };
const origins = chrome.runtime.getManifest().optional_host_permissions;
const DIM = 128;
const KEPT = 50; // passages of an answer
const LEAST_SCORE = 0.15; // a cosine below it is chance,
const LEAST_PART = 0.5; // and so is one below this part of the best

let loading = null;

function ready() {
  loading ??= load(chrome.runtime.getURL("models/find.pumice"));
  loading.catch(() => (loading = null));
  return loading;
}

ready().catch(() => {}); // the page's script hears of it when it asks

// The click or the key that gives access to this tab alone.
chrome.action.onClicked.addListener(async (tab) => {
  try {
    const target = { tabId: tab.id };
    await chrome.scripting.insertCSS({ target, files: ["content/page.css"] });
    await chrome.scripting.executeScript({ target, files: CONTENT });
  } catch {
    // The browser's own pages let no extension in.
    await chrome.action.setBadgeText({ tabId: tab.id, text: "–" });
    await chrome.action.setTitle({ tabId: tab.id, title: "The browser lets no extension read this page" });
  }
});

// Where the user has allowed it for all pages (options.html), they are read as they load.
async function follow() {
  const allowed = await chrome.permissions.contains({ origins });
  const [before] = await chrome.scripting.getRegisteredContentScripts({ ids: [EARLY.id] });
  if (allowed && !before) await chrome.scripting.registerContentScripts([{ ...EARLY, matches: origins }]);
  if (!allowed && before) await chrome.scripting.unregisterContentScripts({ ids: [EARLY.id] });
}

chrome.runtime.onInstalled.addListener(follow);
chrome.permissions.onAdded.addListener(follow);
chrome.permissions.onRemoved.addListener(follow);

chrome.runtime.onConnect.addListener((port) => {
  const page = new Page(port);
  port.onMessage.addListener((message) => page.answer(message));
  port.onDisconnect.addListener(() => page.close());
});

class Page {
  #port;
  #index = null;
  #texts = [];
  #queue = Promise.resolve();

  constructor(port) {
    this.#port = port;
  }

  // One after the other, in the order they came.
  answer(message) {
    this.#queue = this.#queue.then(async () => {
      try {
        const model = await ready();
        if ("passages" in message) this.#add(model, message);
        else this.#search(model, message);
      } catch (error) {
        this.#port.postMessage({ error: error.message });
      }
    });
  }

  close() {
    this.#index?.clear();
    this.#texts = [];
  }

  #add(model, { passages, last }) {
    this.#index ??= model.index({ dim: DIM, codes: "int8" });
    const first = this.#texts.length;
    this.#index.addMany(passages.map((text, i) => ({ id: first + i, text: text.toWellFormed() })));
    this.#texts.push(...passages);
    this.#port.postMessage({ embedded: this.#texts.length, last });
  }

  // What holds the query to the letter comes first, then what is near it in meaning.
  #search(model, { query, number }) {
    const text = query.toWellFormed();
    const found = this.#index?.search(text, KEPT) ?? [];
    const least = Math.max(LEAST_SCORE, LEAST_PART * (found[0]?.score ?? 0));
    const hits = literally(this.#texts, text.trim());
    const seen = new Set(hits.map((hit) => hit.id));
    const asked = model.tokenVectors(text, { dim: DIM });
    for (const { id, score } of found) {
      if (score < least || seen.has(id)) continue;
      const passage = this.#texts[id].toWellFormed();
      const tokens = model.tokenVectors(passage, { dim: DIM });
      const words = wordShares(passage, tokens.spans, documentShares(asked, tokens));
      hits.push({ id, score, words: earned(words) });
    }
    this.#port.postMessage({ number, hits });
  }
}

// Hits of passages that hold the query, whatever its case, in the page's order.
function literally(texts, query) {
  const hits = [];
  const wanted = query.toLowerCase();
  for (let id = 0; id < texts.length && hits.length < KEPT; ++id) {
    const lower = texts[id].toLowerCase();
    if (!lower.includes(wanted)) continue;
    const words = [];
    const keepsPlaces = lower.length === texts[id].length;
    for (let at = lower.indexOf(wanted); keepsPlaces && at >= 0; at = lower.indexOf(wanted, at + wanted.length)) {
      words.push([at, at + wanted.length, 1]);
    }
    hits.push({ id, score: 1, words });
  }
  return hits;
}

// The words that earned a part of the score, as [begin, end, part].
function earned(words) {
  const sum = words.reduce((total, word) => total + Math.max(word[2], 0), 0);
  return sum > 0 ? words.map(([b, e, share]) => [b, e, share / sum]).filter((word) => word[2] > 0.02) : [];
}
