// @ts-check

/** @import { InputDescription, Pixels, Tensor } from "./types.js" */

/** @typedef {{ values: Float64Array, height: number, width: number, channels: number }} Grid */

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
  let grid = channelsOf(pixels, channels);
  if (resize !== null) {
    const along = RESIZE[resize];
    grid = alongColumns(alongRows(grid, height, along), width, along);
  }
  const factor = maximum / 255;
  return {
    data: Float32Array.from(grid.values, (value) => value * factor),
    shape: [height, width, channels],
  };
}

/**
 * Grey is what Pillow makes of colour; transparency is dropped where there is no channel for it.
 *
 * @param {Pixels} pixels
 * @param {number} channels
 * @returns {Grid}
 */
function channelsOf({ width, height, data }, channels) {
  const values = new Float64Array(width * height * channels);
  const colours = channels < 3 ? 1 : 3;
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const [from, to] = [pixel * 4, pixel * channels];
    if (colours === 1) {
      values[to] =
        (19595 * data[from] + 38470 * data[from + 1] + 7471 * data[from + 2] + 32768) >> 16;
    } else {
      values[to] = data[from];
      values[to + 1] = data[from + 1];
      values[to + 2] = data[from + 2];
    }
    if (channels > colours) {
      values[to + colours] = data[from + 3];
    }
  }
  return { values, height, width, channels };
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
 * @param {Grid} grid
 * @param {number} wanted
 * @param {Along} along
 * @returns {Grid}
 */
function alongRows({ values, height, width, channels }, wanted, along) {
  const line = width * channels;
  const found = new Float64Array(wanted * line);
  for (let row = 0; row < wanted; row += 1) {
    const [before, after, share] = along(row, height, wanted);
    for (let each = 0; each < line; each += 1) {
      const low = values[before * line + each];
      found[row * line + each] = low + (values[after * line + each] - low) * share;
    }
  }
  return { values: found, height: wanted, width, channels };
}

/**
 * @param {Grid} grid
 * @param {number} wanted
 * @param {Along} along
 * @returns {Grid}
 */
function alongColumns({ values, height, width, channels }, wanted, along) {
  const found = new Float64Array(height * wanted * channels);
  for (let column = 0; column < wanted; column += 1) {
    const [before, after, share] = along(column, width, wanted);
    for (let row = 0; row < height; row += 1) {
      for (let channel = 0; channel < channels; channel += 1) {
        const low = values[(row * width + before) * channels + channel];
        const high = values[(row * width + after) * channels + channel];
        found[(row * wanted + column) * channels + channel] = low + (high - low) * share;
      }
    }
  }
  return { values: found, height, width: wanted, channels };
}
