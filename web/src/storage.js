/** Where a page keeps bytes such as a saved index: its private file system (OPFS) or IndexedDB. */
import { PumiceError } from "./errors.js";

const DATABASE = "pumice";
const STORE = "files";

/** Writes a file of the page's private file system, whole or not at all. */
export async function saveToOpfs(name, bytes) {
  const folder = await opfs();
  const file = await folder.getFileHandle(name, { create: true });
  const stream = await file.createWritable();
  try {
    await stream.write(bytes);
  } catch (cause) {
    await stream.abort();
    throw new PumiceError(`${name}: cannot be written: ${cause.message}`, { cause });
  }
  await stream.close();
}

/** An ArrayBuffer, or null where there is no such file. */
export async function loadFromOpfs(name) {
  const folder = await opfs();
  try {
    const handle = await folder.getFileHandle(name);
    return await (await handle.getFile()).arrayBuffer();
  } catch (error) {
    if (error.name === "NotFoundError") return null;
    throw error;
  }
}

export async function saveToIndexedDb(name, bytes) {
  await inStore("readwrite", (store) => store.put(bytes, name));
}

/** An ArrayBuffer, or null where there is none of that name. */
export async function loadFromIndexedDb(name) {
  return (await inStore("readonly", (store) => store.get(name))) ?? null;
}

async function opfs() {
  if (!globalThis.navigator?.storage?.getDirectory) {
    throw new PumiceError("this browser has no private file system for this page: use IndexedDB");
  }
  return navigator.storage.getDirectory();
}

async function inStore(mode, act) {
  if (!globalThis.indexedDB) throw new PumiceError("there is no IndexedDB here: keep the bytes elsewhere");
  const database = await settled(indexedDB.open(DATABASE, 1), (request) => {
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  });
  try {
    return await settled(act(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function settled(request, prepare = () => {}) {
  return new Promise((resolve, reject) => {
    prepare(request);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new PumiceError(`IndexedDB: ${request.error.message}`, { cause: request.error }));
  });
}
