// @ts-check
import { decodeImage } from "./steps/decode_image.js";
import { resample } from "./steps/resample.js";
import { scalePixels } from "./steps/scale_pixels.js";

/** @import { Step, Tensor } from "./types.js" */

/**
 * Values of a picture, computed a line at a time.
 *
 * @typedef {object} Grid
 * @property {number} height
 * @property {number} width
 * @property {number} channels
 * @property {(row: number) => Float64Array} line The values of a row, channel by channel.
 */

/** @type {Record<string, (value: any, step: any) => Grid | Promise<Grid>>} By the step's name. */
const STEPS = { decode_image: decodeImage, resample, scale_pixels: scalePixels };

/**
 * The tensor of one cell, as in training: every step in order, in double precision.
 *
 * @param {readonly Step[]} steps
 * @param {unknown} cell
 * @returns {Promise<Tensor>}
 */
export async function run(steps, cell) {
  let value = cell;
  for (const step of steps) {
    value = await STEPS[step.step](value, step);
  }
  const { height, width, channels, line } = /** @type {Grid} */ (value);
  const data = new Float32Array(height * width * channels);
  for (let row = 0; row < height; row += 1) {
    data.set(line(row), row * width * channels);
  }
  return { data, shape: [height, width, channels] };
}

/**
 * The largest value that the steps can return.
 *
 * @param {readonly Step[]} steps
 */
export function maximumOf(steps) {
  return steps.find(({ step }) => step === "scale_pixels")?.maximum ?? 255;
}
