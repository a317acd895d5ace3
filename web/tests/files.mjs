// Where the tests find testdata/ and the shipped model.
import { readFile } from "node:fs/promises";

const root = new URL("../../", import.meta.url);

export const readTestdata = (name) => readFile(new URL(`testdata/${name}`, root));
export const shippedModel = new URL("python/pumice/models/pumice-base-en.pumice", root);
