/** pumice in Node: the same, and files by their paths. */
import { webcrypto } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setPlatform } from "./module.js";

setPlatform({ readFile: (path) => readFile(path), subtle: webcrypto.subtle }); // Node 18 has no global crypto

export * from "./index.js";
