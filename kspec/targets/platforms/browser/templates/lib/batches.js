// @ts-check

/** @import { Batch, Tensor } from "./types.js" */

/**
 * Rows as batches: one batch if all rows have the same shapes, else a batch for each row.
 *
 * @param {ReadonlyMap<string, Tensor>[]} rows
 * @returns {Map<string, Batch>[]}
 */
export function stack(rows) {
  const shapes = new Set(
    rows.map((row) => JSON.stringify([...row.values()].map((each) => each.shape))),
  );
  const groups = shapes.size === 1 ? [rows] : rows.map((row) => [row]);
  return groups.map((group) => {
    const names = [...group[0].keys()];
    return new Map(names.map((name) => [name, joined(group.map((row) => taken(row, name)))]));
  });
}

/**
 * The rows of a batch.
 *
 * @param {ReadonlyMap<string, Batch>} batch
 * @returns {Map<string, Tensor>[]}
 */
export function split(batch) {
  const [first] = batch.values();
  return Array.from({ length: first.shape[0] }, (_, row) => {
    return new Map([...batch].map(([name, { data, shape }]) => [name, rowOf(data, shape, row)]));
  });
}

/**
 * @param {Batch["data"]} data
 * @param {readonly number[]} shape
 * @param {number} row
 * @returns {Tensor}
 */
export function rowOf(data, shape, row) {
  const size = data.length / shape[0];
  return { data: data.slice(row * size, (row + 1) * size), shape: shape.slice(1) };
}

/**
 * @param {Tensor[]} rows
 * @returns {Batch}
 */
function joined(rows) {
  const [{ data: first, shape }] = rows;
  const length = rows.length * first.length;
  const data = first instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  rows.forEach((row, index) => data.set(row.data, index * first.length));
  return { data, shape: [rows.length, ...shape] };
}

/**
 * @param {ReadonlyMap<string, Tensor>} tensors
 * @param {string} name
 */
function taken(tensors, name) {
  return /** @type {Tensor} */ (tensors.get(name));
}
