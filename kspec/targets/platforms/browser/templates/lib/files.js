// @ts-check

/** @type {any} The process under Node.js; undefined in a page. */
const process = Reflect.get(globalThis, "process");

export const isNode = Boolean(process?.versions?.node);

/**
 * The URL of a folder, relative to the page or, under Node.js, to the working directory.
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
 * Imports a module that bundlers must not include: it stays a separate file.
 *
 * @param {URL} url
 */
export async function importModule(url) {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ url.href);
  } catch (error) {
    throw new Error(`${url.pathname} does not load: run npm run vendor`, { cause: error });
  }
}
