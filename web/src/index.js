/** pumice in browsers and workers: static text embeddings, the same bits as in Python. */
export { PumiceError } from "./errors.js";
export { documentShares, wordShares } from "./explanation.js";
export { load, Model } from "./model.js";
export { hasSimd } from "./module.js";
export { SearchIndex } from "./search_index.js";
