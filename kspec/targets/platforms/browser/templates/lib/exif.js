// @ts-check

/** @import { Pixels } from "./types.js" */

const ORIENTATION = 0x0112;

/**
 * The orientation in an EXIF block, which is a small TIFF file; 1 is upright.
 *
 * @param {Uint8Array} exif
 */
export function orientationIn(exif) {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  try {
    const little = view.getUint16(0) === 0x4949;
    const directory = view.getUint32(4, little);
    for (let entry = 0; entry < view.getUint16(directory, little); entry += 1) {
      const place = directory + 2 + entry * 12;
      if (view.getUint16(place, little) === ORIENTATION) {
        return view.getUint16(place + 8, little);
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) {
      throw error;
    }
  }
  return 1;
}

/**
 * The position in the stored picture of a pixel of the upright picture, by orientation.
 *
 * @typedef {(x: number, y: number, right: number, bottom: number) => [number, number]} Place
 */

/** @type {Record<number, Place>} */
const PLACES = {
  2: (x, y, right) => [right - x, y],
  3: (x, y, right, bottom) => [right - x, bottom - y],
  4: (x, y, _, bottom) => [x, bottom - y],
  5: (x, y) => [y, x],
  6: (x, y, _, bottom) => [y, bottom - x],
  7: (x, y, right, bottom) => [right - y, bottom - x],
  8: (x, y, right) => [right - y, x],
};

/**
 * @param {Pixels} pixels
 * @param {number} orientation
 * @returns {Pixels}
 */
export function turnUpright(pixels, orientation) {
  const place = PLACES[orientation];
  if (place === undefined) {
    return pixels;
  }
  const { width, height } = pixels;
  const turned = orientation > 4 ? { width: height, height: width } : { width, height };
  const from = new Uint32Array(pixels.data.buffer, pixels.data.byteOffset, width * height);
  const to = new Uint32Array(from.length);
  for (let y = 0; y < turned.height; y += 1) {
    for (let x = 0; x < turned.width; x += 1) {
      const [column, row] = place(x, y, width - 1, height - 1);
      to[y * turned.width + x] = from[row * width + column];
    }
  }
  return { ...turned, data: new Uint8ClampedArray(to.buffer) };
}
