// What the tests call in the page, and in a worker of it.
import { hasSimd, load } from "/web/src/index.js";
import { loadFromIndexedDb, loadFromOpfs, saveToIndexedDb, saveToOpfs } from "/web/src/storage.js";
import { compareGolden } from "/web/tests/golden.mjs";

const read = async (name) => new Uint8Array(await (await fetch(`/testdata/${name}`)).arrayBuffer());
const SHIPPED = "/python/pumice/models/pumice-base-en.pumice";

const actions = {
  hasSimd,
  golden: (simd) => compareGolden(load, read, { simd }),

  async meaning() {
    const model = await load(SHIPPED, { verify: true });
    const index = model.index({ dim: 256 });
    index.addMany(["Applying for new travel documents", "Baking bread at home"].map((text, id) => ({ id, text })));
    return index.search("renew a passport", 1)[0].id;
  },

  async kept(url) {
    const asks = () => performance.getEntriesByType("resource").filter((entry) => entry.name.endsWith(url)).length;
    const before = asks();
    const first = (await load(url, { cache: "models" })).encode("renew").join();
    for (let tries = 0; !(await (await caches.open("models")).match(url)) && tries < 200; ++tries) await new Promise((resolve) => setTimeout(resolve, 20));
    const again = (await load(url, { cache: "models", verify: true })).encode("renew").join();
    await load("/web/tests/browser/page.html", { cache: "models" }).catch(() => {});
    for (let tries = 0; (await caches.open("models").then((one) => one.keys())).length > 1 && tries < 200; ++tries) await new Promise((resolve) => setTimeout(resolve, 20));
    const none = await load("/none.pumice", { cache: "models" }).catch((error) => error.message);
    return { same: first === again, asked: asks() - before, none, keys: (await (await caches.open("models")).keys()).length };
  },

  async stored() {
    const model = await load(SHIPPED);
    const index = model.index({ dim: 64 });
    index.add("a", "Passports are renewed at the town hall.", { year: 2024 });
    const bytes = index.save();
    await saveToOpfs("index", bytes);
    await saveToIndexedDb("index", bytes);
    const found = [await loadFromOpfs("index"), await loadFromIndexedDb("index")].map((one) => model.openIndex(one).search("passport")[0].id);
    return [...found, await loadFromOpfs("none"), await loadFromIndexedDb("none")];
  },

  async refusals() {
    const bytes = await read("golden-int8.pumice");
    const sources = ["/none.pumice", bytes.slice(0, 5000), new Blob(["x".repeat(100)]), 7, "http://localhost:1/m.pumice"];
    const messages = [];
    for (const source of sources) {
      await load(source).then(
        () => messages.push("loaded"),
        (error) => messages.push(`${error.name}: ${error.message}`),
      );
    }
    const model = await load(bytes);
    const before = model.encode("abc").join();
    const huge = bytes.slice();
    new DataView(huge.buffer).setBigUint64(16, 0xfff00000n, true);
    await load(huge).catch((error) => messages.push(`${error.name}: ${error.message}`));
    return { messages, survives: before === model.encode("abc").join() };
  },
};

Object.assign(globalThis, { actions });
if (globalThis.document === undefined) {
  onmessage = async ({ data: [name, ...args] }) => {
    try {
      postMessage({ result: await actions[name](...args) });
    } catch (error) {
      postMessage({ error: String(error.stack) });
    }
  };
} else {
  const worker = new Worker("/web/tests/browser/page.mjs", { type: "module" });
  actions.inWorker = (...call) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.result));
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(call);
    });
  document.title = "ready";
}
