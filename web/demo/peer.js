/** The same passages by all-MiniLM-L6-v2 in transformers.js, where its script and weights lie beside this page. */

const SCRIPT = "./transformers/transformers.min.js";
const WEIGHTS = "./transformers/models/Xenova/all-MiniLM-L6-v2/onnx/model_quantized.onnx";
const BATCH = 16;

let embed = null;
let vectors = [];

/** Whether both are there; see the README for where they come from. */
export async function isAvailable() {
  const found = await Promise.all([SCRIPT, WEIGHTS].map((url) => fetch(url, { method: "HEAD" }).catch(() => ({ ok: false }))));
  return found.every((response) => response.ok);
}

export async function load() {
  const { pipeline, env } = await import(SCRIPT);
  // A path: of models at a whole URL transformers.js does not find the tokenizer.
  const localModelPath = new URL("./transformers/models/", location.href).pathname;
  Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath });
  env.backends.onnx.wasm.wasmPaths = new URL("./transformers/", location.href).href;
  embed ??= await pipeline("feature-extraction", "Xenova/all-MiniLM-L6-v2", { dtype: "q8" });
}

export async function embedAll(texts, tell) {
  vectors = [];
  for (let at = 0; at < texts.length; at += BATCH) {
    const output = await embed(texts.slice(at, at + BATCH), { pooling: "mean", normalize: true });
    vectors.push(...output.tolist());
    tell(vectors.length);
  }
}

export async function search(texts, query, k) {
  const [asked] = (await embed([query], { pooling: "mean", normalize: true })).tolist();
  return vectors
    .map((vector, id) => ({ id, text: texts[id], score: vector.reduce((sum, x, i) => sum + x * asked[i], 0) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, k);
}
