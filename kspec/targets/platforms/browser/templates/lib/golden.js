// @ts-check
import { readBytes } from "./files.js";
import { readSafetensors } from "./safetensors.js";

/**
 * @typedef {object} About What `kspec-bundle.json` says, as far as the self-test reads it.
 * @property {string} name
 * @property {string} version
 * @property {{ path: string, sha256: string, tolerance: Tolerance }[]} artifacts
 * @property {{ file: string, sha256: string, rows: number, pictures: Record<string, string> }} golden
 * @property {{ inputs: Input[], outputs: { name: string, kind: string }[] }} signature
 */

/** @typedef {{ atol: number, rtol: number }} Tolerance */
/** @typedef {{ name: string, kind: string, columns: string[], columns_by_name: boolean, steps: Step[] }} Input */
/** @typedef {{ step: string, maximum?: number }} Step */
/** @typedef {{ data: Float32Array | Int32Array | Uint8Array, shape: number[] }} Golden */

/**
 * @param {URL} base
 * @returns {Promise<About>}
 */
export async function readAbout(base) {
  const bytes = await readBytes(new URL("kspec-bundle.json", base));
  return JSON.parse(new TextDecoder().decode(bytes));
}

/**
 * The golden rows, after the hashes of artifact and rows were found right.
 *
 * @param {URL} base
 * @param {About} about
 */
export async function readGolden(base, { artifacts: [{ path, sha256 }], golden }) {
  await check(base, path, sha256);
  return readSafetensors(await check(base, golden.file, golden.sha256));
}

/**
 * @param {URL} base
 * @param {string} path
 * @param {string} sha256
 */
async function check(base, path, sha256) {
  const bytes = await readBytes(new URL(path, base));
  if (!globalThis.crypto?.subtle) {
    throw new Error("SHA-256 is there on https and localhost alone");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const found = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== sha256) {
    throw new Error(`${path} has another SHA-256 than kspec-bundle.json says`);
  }
  return bytes;
}

/**
 * @param {ReadonlyMap<string, Golden>} golden
 * @param {string} name
 * @param {number} row
 */
export function rowOf(golden, name, row) {
  const { data, shape } = /** @type {Golden} */ (golden.get(name));
  const size = data.length / shape[0];
  return { data: data.slice(row * size, (row + 1) * size), shape: shape.slice(1) };
}
