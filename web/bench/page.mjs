// The browser's side: each function is one thing that bench.mjs times, called in a dedicated worker.
import { load } from "/web/src/index.js";

const DIM = 256;
const PASSAGES = 100_000;
let model, texts, out, index, tokenizer;

const timed = (act) => {
  const begin = performance.now();
  act();
  return (performance.now() - begin) / 1000;
};

// On a machine that does other work too, the shortest of several passes is the one that nothing interrupted.
const shortest = (passes, act) => Math.min(...Array.from({ length: passes }, () => timed(act)));

const actions = {
  async start() {
    texts = await (await fetch("/inputs/texts.json")).json();
    model = await load("/inputs/model.pumice");
    out = new Float32Array(DIM * texts.length);
    const digest = await crypto.subtle.digest("SHA-256", model.encode(texts, { dim: DIM }));
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  },

  encode: (passes) => shortest(passes, () => model.encode(texts, { dim: DIM })),
  encodeOut: (passes) => shortest(passes, () => model.encode(texts, { dim: DIM, out })),

  // From the request, which the browser's cache answers, to the first vector.
  async ready(name, cache) {
    const begin = performance.now();
    (await load(`/inputs/${name}.pumice`, { cache })).encode("ready");
    return (performance.now() - begin) / 1000;
  },

  async memory(name) {
    const small = await load(`/inputs/${name}.pumice`);
    small.encode(texts, { dim: 128 });
    return small.memoryBytes;
  },

  fill() {
    const words = texts.join(" ").split(" ");
    const records = Array.from({ length: PASSAGES }, (_, id) => {
      const at = (id * 7919) % (words.length - 40);
      return { id, text: words.slice(at, at + 40).join(" ") };
    });
    index = model.index({ dim: DIM });
    return timed(() => index.addMany(records));
  },

  search(query) {
    return timed(() => index.search(query, 10));
  },

  async peer() {
    const { PreTrainedTokenizer } = await import("/web/bench/node_modules/@huggingface/transformers/dist/transformers.min.js");
    const json = await (await fetch("/inputs/tokenizer.json")).json();
    tokenizer = new PreTrainedTokenizer(json, { tokenizer_class: "BertTokenizer", unk_token: "[UNK]" });
    const wrong = texts.slice(0, 200).filter((text) => {
      const ids = tokenizer.encode(text, { add_special_tokens: false });
      return JSON.stringify(ids.slice(0, model.tokenize(text).length)) !== JSON.stringify([...model.tokenize(text)]);
    });
    return { wrong: wrong.length };
  },

  tokenizePeer: (passes, share) => {
    const some = texts.slice(0, texts.length / share);
    return shortest(passes, () => some.forEach((text) => tokenizer.encode(text, { add_special_tokens: false })));
  },
  tokenize: (passes) => shortest(passes, () => model.tokenize(texts)),
};

onmessage = async ({ data: [name, ...args] }) => {
  try {
    postMessage({ result: await actions[name](...args) });
  } catch (error) {
    postMessage({ error: String(error.stack ?? error) });
  }
};
