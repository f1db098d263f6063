// @ts-check
import { description } from "../model.js";
import { maximumOf } from "./steps.js";

/** @import { Batch, InputDescription, Session } from "./types.js" */

/** Far above rounding errors, far below the error of a wrong kernel. */
const TOLERANCE = 1e-3;
/** The size of generated rows along a dimension that varies. */
const OPEN = 16;

export async function hasWebGpu() {
  return Boolean(await globalThis.navigator?.gpu?.requestAdapter());
}

/**
 * The candidate if it answers generated rows as the reference does, else the reference. A wrong
 * driver or GPU kernel does not report an error.
 *
 * @param {Session} candidate
 * @param {Session} reference
 * @returns {Promise<Session>}
 */
export async function proven(candidate, reference) {
  let agree = true;
  for (const scale of [0, 1, 100]) {
    const feeds = new Map(description.inputs.map((input) => [input.name, madeUp(input, scale)]));
    agree &&= near(await candidate.run(feeds), await reference.run(feeds));
  }
  if (agree) {
    await reference.close();
    return candidate;
  }
  console.warn("WebGPU and WebAssembly answer differently: WebAssembly is used");
  await candidate.close();
  return reference;
}

/**
 * @param {InputDescription} input
 * @param {number} scale
 * @returns {Batch}
 */
function madeUp({ shape, dtype, steps }, scale) {
  const sizes = [1, ...shape.slice(1).map((size) => (typeof size === "number" ? size : OPEN))];
  const length = sizes.reduce((product, size) => product * size, 1);
  if (dtype === "int32") {
    return { data: new Int32Array(length), shape: sizes };
  }
  const data = Float32Array.from({ length }, (_, index) => {
    const wave = Math.sin(index + 1);
    return steps.length === 0
      ? wave * scale
      : (maximumOf(steps) * Math.min(scale, 1) * (1 + wave)) / 2;
  });
  return { data, shape: sizes };
}

/**
 * @param {ReadonlyMap<string, Batch>} found
 * @param {ReadonlyMap<string, Batch>} expected
 */
function near(found, expected) {
  return [...expected].every(([name, { data }]) => {
    const values = found.get(name)?.data;
    return data.every((value, index) => {
      const error = Math.abs((values?.[index] ?? Number.NaN) - value);
      return error <= TOLERANCE * Math.max(1, Math.abs(value));
    });
  });
}
