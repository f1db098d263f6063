// @ts-check
import { readBytes } from "./files.js";
import { readSafetensors } from "./safetensors.js";

/**
 * @typedef {object} About The part of `kspec-bundle.json` that the self-test reads.
 * @property {string} name
 * @property {string} version
 * @property {{ path: string, tolerances: Record<string, Tolerance> }[]} artifacts
 * @property {{ file: string, rows: number, pictures: Record<string, string> }} golden
 * @property {{ inputs: Input[], outputs: { name: string, decision: { threshold: number | null } | null }[] }} signature
 */

/** @typedef {{ atol: number, rtol: number }} Tolerance */
/** @typedef {{ name: string, columns: string[], columns_by_name: boolean, steps: { place: string }[] }} Input */
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
 * @param {URL} base
 * @param {About} about
 */
export async function readGolden(base, { golden }) {
  return readSafetensors(await readBytes(new URL(golden.file, base)));
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
