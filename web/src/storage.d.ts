/** Types of pumice/storage: where a page keeps bytes such as a saved index. */

/** Writes a file of the page's private file system, whole or not at all. */
export function saveToOpfs(name: string, bytes: ArrayBuffer | ArrayBufferView): Promise<void>;
/** Null where there is no such file. */
export function loadFromOpfs(name: string): Promise<ArrayBuffer | null>;
export function saveToIndexedDb(name: string, bytes: ArrayBuffer): Promise<void>;
/** Null where there is none of that name. */
export function loadFromIndexedDb(name: string): Promise<ArrayBuffer | null>;
