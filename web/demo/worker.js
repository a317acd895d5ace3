/** The demo's worker: the model, the index, and what each word earned; the page's thread stays free. */
import { documentShares, load, wordShares } from "./pumice/src/index.js";
import { passagesOf } from "./passages.js";

const DIM = 128;
const LEAST_SCORE = 0.12; // a cosine below it is chance
const begun = performance.now();
const loading = load("./models/find.pumice").then((model) => ({ model, index: model.index({ dim: DIM }) }));
const texts = [];

loading.then(
  ({ model }) => postMessage({ ready: performance.now() - begun, name: model.name, tokens: model.info.tokens, memory: model.memoryBytes }),
  (error) => postMessage({ error: error.message }),
);

onmessage = async ({ data }) => {
  try {
    const { model, index } = await loading;
    if (data.files) await add(model, index, data.files);
    else search(model, index, data);
  } catch (error) {
    postMessage({ error: error.message });
  }
};

async function add(model, index, files) {
  let [bytes, spent] = [0, 0];
  const refused = [];
  for (const file of files) {
    const text = (await file.text()).toWellFormed();
    if (text.includes("\0")) {
      refused.push(`${file.name}: not text: it holds NUL bytes.`);
      continue;
    }
    bytes += file.size;
    const passages = passagesOf(text);
    const begin = performance.now();
    const first = texts.length;
    index.addMany(passages.map((passage, i) => ({ id: first + i, text: passage, payload: { file: file.name } })));
    spent += performance.now() - begin;
    texts.push(...passages);
  }
  postMessage({ added: { passages: texts.length, bytes, spent, memory: model.memoryBytes, texts, refused } });
}

function search(model, index, { query, number }) {
  const text = query.toWellFormed();
  const begin = performance.now();
  const hits = index.search(text, 10).filter((hit) => hit.score >= LEAST_SCORE);
  const spent = performance.now() - begin;
  const asked = model.tokenVectors(text, { dim: DIM });
  const results = hits.map(({ id, score, payload }) => {
    const tokens = model.tokenVectors(texts[id], { dim: DIM });
    const shares = documentShares(asked, tokens);
    return { id, score, file: payload.file, text: texts[id], words: wordShares(texts[id], tokens.spans, shares) };
  });
  postMessage({ number, results, spent });
}
