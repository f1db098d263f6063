// @ts-check
import { decode } from "../pictures.js";

/**
 * @import { Pixels } from "../types.js"
 * @import { Grid } from "../steps.js"
 */

/**
 * @typedef {object} DecodeImage
 * @property {number} channels
 * @property {number | null} height The size that the picture must have, or null for any.
 * @property {number | null} width
 * @property {number} max_pixels
 */

/**
 * Decode a picture to 8 bits a channel, upright.
 *
 * @param {unknown} given
 * @param {DecodeImage} step
 * @returns {Promise<Grid>}
 */
export async function decodeImage(given, { channels, height, width, max_pixels: most }) {
  const pixels = await decode(given, most);
  if (height !== null && (pixels.width !== width || pixels.height !== height)) {
    throw new RangeError(
      `${pixels.width} × ${pixels.height} pixels, the model takes ${width} × ${height}`,
    );
  }
  return { height: pixels.height, width: pixels.width, channels, line: lineOf(pixels, channels) };
}

/**
 * Reads lines of a picture, channel by channel. Colour becomes grey as in Pillow; transparency is
 * dropped if the input has no channel for it.
 *
 * @param {Pixels} pixels
 * @param {number} channels
 */
function lineOf({ width, data }, channels) {
  const write = WRITERS[channels];
  /** @param {number} row */
  return (row) => {
    const values = new Float64Array(width * channels);
    for (let column = 0; column < width; column += 1) {
      write(data, (row * width + column) * 4, values, column * channels);
    }
    return values;
  };
}

/** @typedef {(data: Pixels["data"], from: number, values: Float64Array, to: number) => void} Write */

/** @type {Record<number, Write>} By the number of channels. */
const WRITERS = {
  1: (data, from, values, to) => {
    values[to] = grey(data, from);
  },
  2: (data, from, values, to) => {
    values[to] = grey(data, from);
    values[to + 1] = data[from + 3];
  },
  3: (data, from, values, to) => {
    values[to] = data[from];
    values[to + 1] = data[from + 1];
    values[to + 2] = data[from + 2];
  },
  4: (data, from, values, to) => {
    WRITERS[3](data, from, values, to);
    values[to + 3] = data[from + 3];
  },
};

/**
 * @param {Pixels["data"]} data
 * @param {number} from
 */
function grey(data, from) {
  return (19595 * data[from] + 38470 * data[from + 1] + 7471 * data[from + 2] + 32768) >> 16;
}
