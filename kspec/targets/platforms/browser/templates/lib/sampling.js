// @ts-check

/** @import { InputDescription, Pixels, Tensor } from "./types.js" */

/**
 * The values of a picture as training had them: channels, size, then from 255 to the maximum of
 * the data, all in double precision.
 *
 * @param {Pixels} pixels
 * @param {InputDescription} input
 * @returns {Tensor}
 */
export function sample(pixels, { name, shape, picture }) {
  const [height, width, channels] = /** @type {number[]} */ (shape.slice(1));
  const { maximum, resize } = /** @type {NonNullable<typeof picture>} */ (picture);
  if (resize === null && (pixels.width !== width || pixels.height !== height)) {
    throw new RangeError(
      `${name}: ${pixels.width} × ${pixels.height} pixels, the model takes ${width} × ${height}`,
    );
  }
  const along = RESIZE[resize ?? "nearest"];
  const factor = maximum / 255;
  const data = new Float32Array(height * width * channels);
  const [first, second] = [lineOf(pixels, channels), lineOf(pixels, channels)];
  for (let row = 0; row < height; row += 1) {
    const [before, after, share] = along(row, pixels.height, height);
    const line = between(first(before), second(after), share);
    for (let column = 0; column < width; column += 1) {
      const [from, to, part] = along(column, pixels.width, width);
      for (let channel = 0; channel < channels; channel += 1) {
        const low = line[from * channels + channel];
        const value = low + (line[to * channels + channel] - low) * part;
        data[(row * width + column) * channels + channel] = value * factor;
      }
    }
  }
  return { data, shape: [height, width, channels] };
}

/**
 * Which two positions an output lies between, and how far it is on the way to the second.
 *
 * @typedef {(position: number, size: number, wanted: number) => [number, number, number]} Along
 */

/** @type {Record<string, Along>} Pixel centres lie at ½. */
const RESIZE = {
  nearest: (position, size, wanted) => {
    const place = Math.min(Math.floor((position + 0.5) * (size / wanted)), size - 1);
    return [place, place, 0];
  },
  bilinear: (position, size, wanted) => {
    const place = Math.min(Math.max((position + 0.5) * (size / wanted) - 0.5, 0), size - 1);
    const before = Math.floor(place);
    return [before, Math.min(before + 1, size - 1), place - before];
  },
};

/**
 * @param {Float64Array} low
 * @param {Float64Array} high
 * @param {number} share
 */
function between(low, high, share) {
  return low.map((value, index) => value + (high[index] - value) * share);
}

/**
 * Reads lines of a picture, channel by channel. Grey is what Pillow makes of colour; transparency
 * is dropped where there is no channel for it.
 *
 * @param {Pixels} pixels
 * @param {number} channels
 */
function lineOf({ width, data }, channels) {
  const values = new Float64Array(width * channels);
  const write = WRITERS[channels];
  /** @param {number} row */
  return (row) => {
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
