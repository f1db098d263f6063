// @ts-check

/** @import { Grid } from "../steps.js" */

/**
 * Stretch a picture to a height and a width, rows first, then columns.
 *
 * @param {Grid} given
 * @param {{ height: number, width: number, method: string }} step
 * @returns {Grid}
 */
export function resample(given, { height, width, method }) {
  const along = METHODS[method];
  const { channels } = given;
  const columns = Array.from({ length: width }, (_, column) => along(column, given.width, width));
  /** @param {number} row */
  const line = (row) => {
    const [before, after, share] = along(row, given.height, height);
    const low = given.line(before);
    const mixed = share === 0 ? low : between(low, given.line(after), share);
    const values = new Float64Array(width * channels);
    columns.forEach(([from, to, part], column) => {
      for (let channel = 0; channel < channels; channel += 1) {
        const first = mixed[from * channels + channel];
        const second = mixed[to * channels + channel];
        values[column * channels + channel] = first + (second - first) * part;
      }
    });
    return values;
  };
  return { height, width, channels, line };
}

/**
 * The two positions that an output lies between, and its distance from the first.
 *
 * @typedef {(position: number, size: number, wanted: number) => [number, number, number]} Along
 */

/** @type {Record<string, Along>} The centre of pixel i lies at i + ½. */
const METHODS = {
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
