// @ts-check
import { orientationIn, turnUpright } from "./exif.js";

/** @import { Pixels } from "./types.js" */

/**
 * @typedef {object} Header
 * @property {number} width
 * @property {number} height
 * @property {number} depth Bits of a sample.
 * @property {number} colour The type: 0 grey, 2 colour, 3 palette, 4 and 6 with alpha.
 * @property {boolean} interlaced
 */

/**
 * @typedef {object} Parts
 * @property {Header} header
 * @property {Uint8Array} palette
 * @property {Uint8Array} transparency
 * @property {Uint8Array} exif
 * @property {Blob} data
 */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
/** @type {Record<number, number>} Samples of a pixel by colour type. */
const SAMPLES = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** First column and row of each pass of an interlaced file, and the steps between. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];
const WHOLE = [[0, 0, 1, 1]];

/** @param {Uint8Array} bytes */
export function isPng(bytes) {
  return SIGNATURE.every((each, index) => bytes[index] === each);
}

/**
 * The pixels of a PNG of at most eight bits a sample, by the specification's third edition.
 * Gamma and profiles are not applied.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} limit The most pixels that are decoded.
 * @returns {Promise<Pixels>}
 */
export async function decodePng(bytes, limit) {
  const parts = readParts(bytes);
  const { width, height, depth, colour, interlaced } = parts.header;
  if (width * height > limit) {
    throw new RangeError(`${width} × ${height} pixels, more than ${limit}`);
  }
  if (depth > 8 || !(colour in SAMPLES)) {
    throw new RangeError("a PNG of more than eight bits a channel");
  }
  const data = new Uint8ClampedArray(width * height * 4);
  const lines = await inflate(parts);
  let place = 0;
  for (const [left, top, right, down] of interlaced ? PASSES : WHOLE) {
    const columns = Math.ceil((width - left) / right);
    const rows = columns > 0 ? Math.ceil((height - top) / down) : 0;
    const line = Math.ceil((columns * SAMPLES[colour] * depth) / 8);
    /** @type {Uint8Array} */
    let above = new Uint8Array(line);
    for (let row = 0; row < rows; row += 1, place += line + 1) {
      above = unfilter(lines, place, line, above, Math.max(1, (SAMPLES[colour] * depth) >> 3));
      const samples = unpack(above, depth);
      const target = (top + row * down) * width + left;
      for (let column = 0; column < columns; column += 1) {
        spread(parts, samples, column, data, (target + column * right) * 4);
      }
    }
  }
  return turnUpright({ width, height, data }, orientationIn(parts.exif));
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Parts}
 */
function readParts(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const none = new Uint8Array();
  /** @type {Record<string, Uint8Array<ArrayBuffer>>} */
  const chunks = { PLTE: none, tRNS: none, eXIf: none };
  const data = [];
  for (let place = 8; place + 12 <= bytes.length;) {
    const length = view.getUint32(place);
    const kind = String.fromCharCode(...bytes.subarray(place + 4, place + 8));
    const content = bytes.subarray(place + 8, place + 8 + length);
    chunks[kind] = content;
    if (kind === "IDAT") {
      data.push(content);
    }
    place += length + 12;
  }
  const header = chunks.IHDR;
  if (header?.length !== 13 || data.length === 0 || !chunks.IEND) {
    throw new RangeError("a damaged PNG");
  }
  const [depth, colour, , , interlace] = header.subarray(8);
  return {
    header: {
      width: view.getUint32(16),
      height: view.getUint32(20),
      depth,
      colour,
      interlaced: interlace === 1,
    },
    palette: chunks.PLTE,
    transparency: chunks.tRNS,
    exif: chunks.eXIf,
    data: new Blob(data),
  };
}

/** @param {Parts} parts */
async function inflate({ data }) {
  try {
    const stream = data.stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    throw new RangeError("a damaged PNG", { cause: error });
  }
}

/**
 * Undo the filter of a line, which is the byte before it.
 *
 * @param {Uint8Array} lines
 * @param {number} place Where the line begins, with its filter.
 * @param {number} length
 * @param {Uint8Array} above The line before it, zeros before the first.
 * @param {number} step Bytes from a sample to the same of the next pixel.
 */
function unfilter(lines, place, length, above, step) {
  const undo = FILTERS[lines[place]];
  if (undo === undefined || place + length >= lines.length) {
    throw new RangeError("a damaged PNG");
  }
  const line = lines.subarray(place + 1, place + 1 + length);
  undo(line, above, step);
  return line;
}

/** @type {((line: Uint8Array, above: Uint8Array, step: number) => void)[]} */
const FILTERS = [
  () => {},
  (line, _, step) => {
    for (let index = step; index < line.length; index += 1) {
      line[index] += line[index - step];
    }
  },
  (line, above) => {
    for (let index = 0; index < line.length; index += 1) {
      line[index] += above[index];
    }
  },
  (line, above, step) => {
    for (let index = 0; index < line.length; index += 1) {
      line[index] += ((index < step ? 0 : line[index - step]) + above[index]) >> 1;
    }
  },
  (line, above, step) => {
    for (let index = 0; index < line.length; index += 1) {
      const left = index < step ? 0 : line[index - step];
      const corner = index < step ? 0 : above[index - step];
      line[index] += nearest(left, above[index], corner);
    }
  },
];

/**
 * Paeth's predictor.
 *
 * @param {number} left
 * @param {number} up
 * @param {number} corner
 */
function nearest(left, up, corner) {
  const a = Math.abs(up - corner);
  const b = Math.abs(left - corner);
  const c = Math.abs(left + up - corner - corner);
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/**
 * @param {Uint8Array} line
 * @param {number} depth
 */
function unpack(line, depth) {
  if (depth === 8) {
    return line;
  }
  const each = 8 / depth;
  const mask = 2 ** depth - 1;
  return Uint8Array.from({ length: line.length * each }, (_, index) => {
    return (line[Math.floor(index / each)] >> (8 - depth * ((index % each) + 1))) & mask;
  });
}

/**
 * Write one pixel as red, green, blue and alpha.
 *
 * @param {Parts} parts
 * @param {Uint8Array} samples
 * @param {number} column
 * @param {Uint8ClampedArray} data
 * @param {number} to
 */
function spread({ header: { depth, colour }, palette, transparency }, samples, column, data, to) {
  const from = column * SAMPLES[colour];
  const first = samples[from];
  if (colour === 3) {
    data[to] = palette[first * 3];
    data[to + 1] = palette[first * 3 + 1];
    data[to + 2] = palette[first * 3 + 2];
    data[to + 3] = transparency[first] ?? 255;
  } else if (colour === 2 || colour === 6) {
    const [second, third] = [samples[from + 1], samples[from + 2]];
    const hidden =
      transparency[1] === first && transparency[3] === second && transparency[5] === third;
    data[to] = first;
    data[to + 1] = second;
    data[to + 2] = third;
    data[to + 3] = colour === 6 ? samples[from + 3] : hidden ? 0 : 255;
  } else {
    const grey = (first * 255) / (2 ** depth - 1);
    data[to] = data[to + 1] = data[to + 2] = grey;
    data[to + 3] = colour === 4 ? samples[from + 1] : transparency[1] === first ? 0 : 255;
  }
}
