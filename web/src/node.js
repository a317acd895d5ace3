/** pumice in Node: the same, and files by their paths. */
import { readFile } from "node:fs/promises";
import { setFileReader } from "./module.js";

setFileReader((path) => readFile(path));

export * from "./index.js";
