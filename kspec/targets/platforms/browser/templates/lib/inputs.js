// @ts-check
import { run } from "./steps.js";

/** @import { InputDescription, Tensor } from "./types.js" */

/**
 * The tensors of one row, by input.
 *
 * @param {readonly InputDescription[]} inputs
 * @param {object} row
 * @returns {Promise<Map<string, Tensor>>}
 */
export async function prepare(inputs, row) {
  const names = inputs.map((input) => input.name);
  refuseOthers("input", Object.keys(row), names);
  const found = new Map();
  for (const input of inputs) {
    const given = take("input", row, input.name);
    found.set(input.name, await tensorOf(input, given));
  }
  return found;
}

/**
 * The tensor of a cell, computed by the input's steps, or of raw values.
 *
 * @param {InputDescription} input
 * @param {unknown} given
 * @returns {Promise<Tensor>}
 */
async function tensorOf(input, given) {
  if (input.steps.length === 0 || given instanceof Float32Array) {
    return rawTensor(input, given);
  }
  try {
    return await run(input.steps, given);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new RangeError(`${input.name}: ${error.message}`);
    }
    throw error;
  }
}

/**
 * Values in a list, in an object by column, or with their shape.
 *
 * @param {InputDescription} input
 * @param {unknown} given
 */
function rawTensor(input, given) {
  const isFixed = input.shape.slice(1).every((size) => typeof size === "number");
  if (isList(given) && isFixed) {
    return fixed(input, given);
  }
  return input.columns.length > 0 ? fixed(input, inOrder(input, given)) : shaped(input, given);
}

/** @type {Record<string, Float32ArrayConstructor | Int32ArrayConstructor>} */
const ARRAYS = { float32: Float32Array, int32: Int32Array };

/**
 * @param {InputDescription} input
 * @param {ArrayLike<number>} values
 */
function fixed(input, values) {
  return shaped(input, { data: values, shape: input.shape.slice(1) });
}

/**
 * @param {InputDescription} input
 * @param {unknown} given
 * @returns {Tensor}
 */
function shaped({ name, dtype, shape }, given) {
  const { data, shape: found } = /** @type {Tensor} */ (given ?? {});
  const wanted = shape.slice(1);
  const fits = found?.length === wanted.length && wanted.every(fitsSize, found);
  if (!fits) {
    throw new RangeError(`${name}: the shape is ${found?.join(" × ")}, not ${wanted.join(" × ")}`);
  }
  const size = found.reduce((product, each) => product * each, 1);
  if (data?.length !== size) {
    throw new RangeError(`${name}: ${data?.length} values, not ${size}`);
  }
  return { data: ARRAYS[dtype].from(data), shape: found };
}

/**
 * @this {readonly number[]}
 * @param {number | string} wanted
 * @param {number} axis
 */
function fitsSize(wanted, axis) {
  return typeof wanted === "string" || wanted === this[axis];
}

/**
 * @param {InputDescription} input
 * @param {unknown} row
 */
function inOrder({ name, columns }, row) {
  if (typeof row !== "object" || row === null) {
    throw new TypeError(`${name} takes numbers, or an object by column`);
  }
  refuseOthers("column", Object.keys(row), columns);
  return columns.map((column) => {
    const value = take("column", row, column);
    if (typeof value !== "number" || Number.isNaN(value)) {
      throw new TypeError(`${column} is not a number: ${value}`);
    }
    return value;
  });
}

/**
 * @param {string} what
 * @param {object} row
 * @param {string} name
 * @returns {unknown}
 */
function take(what, row, name) {
  if (!Object.hasOwn(row, name)) {
    throw new TypeError(`the ${what} ${name} is missing`);
  }
  return /** @type {Record<string, unknown>} */ (row)[name];
}

/**
 * @param {string} what
 * @param {string[]} given
 * @param {readonly string[]} known
 */
function refuseOthers(what, given, known) {
  const other = given.find((name) => !known.includes(name));
  if (other !== undefined) {
    throw new TypeError(`there is no ${what} ${other}`);
  }
}

/**
 * @param {unknown} given
 * @returns {given is ArrayLike<number>}
 */
function isList(given) {
  return Array.isArray(given) || ArrayBuffer.isView(given);
}
