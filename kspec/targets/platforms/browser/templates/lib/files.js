// @ts-check

/** @type {any} Node's, where there is one. */
const process = Reflect.get(globalThis, "process");

export const isNode = Boolean(process?.versions?.node);

/**
 * The URL of a folder, from the page's own place or, under Node, the working directory's.
 *
 * @param {string | URL} given
 */
export function folderOf(given) {
  const from = globalThis.document?.baseURI ?? globalThis.location?.href;
  const found = new URL(given, from ?? `file://${process?.cwd()}/`);
  if (!found.pathname.endsWith("/")) {
    found.pathname += "/";
  }
  return found;
}

/**
 * @param {URL} url
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function readBytes(url) {
  if (url.protocol === "file:" && isNode) {
    const { readFile } = await importModule(new URL("node:fs/promises"));
    return new Uint8Array(await readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`${url.pathname}: ${response.status} ${response.statusText}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * A module that is no part of the package's own graph: bundlers leave it where it lies.
 *
 * @param {URL} url
 */
export async function importModule(url) {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ url.href);
  } catch (error) {
    throw new Error(`${url.pathname} does not load; npm run vendor brings it`, { cause: error });
  }
}
