// @ts-check
import { importModule, isNode, readBytes } from "./files.js";

const DESCRIPTION = "kspec-bundle.json";
/** The SHA-256 of the description, as `sha256sum` writes it. */
const SEAL = "kspec-bundle.json.sha256";
/** The start of an ignored name that may occur in any folder; other names are paths. */
const EVERYWHERE = "**/";

/**
 * A sentence for each file of the bundle that is changed or missing and, under Node.js, for each
 * added file: a page cannot list a folder, and does not see added files. The description contains
 * the SHA-256 of every other file; a file beside it contains the description's.
 *
 * @param {URL} base
 * @returns {Promise<string[]>}
 */
export async function alteredFiles(base) {
  const description = await readBytes(new URL(DESCRIPTION, base));
  const { files, ignored } = JSON.parse(new TextDecoder().decode(description));
  const problems = [];
  const seal = new TextDecoder().decode(await readBytes(new URL(SEAL, base)));
  if (seal !== `${await sha256(description)}  ${DESCRIPTION}\n`) {
    problems.push(`${DESCRIPTION} is not the file that was built`);
  }
  problems.push(...(await Promise.all(Object.entries(files).map((each) => compare(base, each)))));
  for (const path of isNode && base.protocol === "file:" ? await paths(base, "", ignored) : []) {
    if (!Object.hasOwn(files, path) && path !== DESCRIPTION && path !== SEAL) {
      problems.push(`${path} does not belong to the bundle`);
    }
  }
  return problems.filter(Boolean);
}

/**
 * The problem of a file; empty if the file is unchanged.
 *
 * @param {URL} base
 * @param {[string, string]} listed
 */
async function compare(base, [path, expected]) {
  let bytes;
  try {
    bytes = await readBytes(new URL(path, base));
  } catch {
    return `${path} is missing`;
  }
  return (await sha256(bytes)) === expected ? "" : `${path} is not the file that was built`;
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) {
    throw new Error("SHA-256 is available on https and localhost only");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The paths of all files and links below a folder of the bundle, except ignored ones.
 *
 * @param {URL} base
 * @param {string} folder
 * @param {readonly string[]} ignored
 * @returns {Promise<string[]>}
 */
async function paths(base, folder, ignored) {
  const { readdir } = await importModule(new URL("node:fs/promises"));
  const found = [];
  for (const each of await readdir(new URL(folder || ".", base), { withFileTypes: true })) {
    const path = folder + each.name;
    if (ignored.includes(path) || ignored.includes(EVERYWHERE + each.name)) {
      continue;
    }
    found.push(...(each.isDirectory() ? await paths(base, `${path}/`, ignored) : [path]));
  }
  return found;
}
