// @ts-check

/** @import { Pixels } from "./types.js" */

/**
 * @typedef {object} Header
 * @property {number} width
 * @property {number} height
 * @property {number} depth Bits of a sample.
 * @property {number} colour The type: 0 grey, 2 colour, 3 palette, 4 and 6 with alpha.
 * @property {boolean} interlaced
 */

/** @typedef {{ header: Header, palette: Uint8Array, transparency: Uint8Array, data: Blob }} Parts */

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
 * The pixels of a PNG, as the specification's third edition says, of at most eight bits a sample.
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
    for (let row = 0; row < rows; row += 1, place += line + 1) {
      unfilter(lines, place, line, row === 0, Math.max(1, (SAMPLES[colour] * depth) >> 3));
      const samples = unpack(lines.subarray(place + 1, place + 1 + line), depth);
      const target = (top + row * down) * width + left;
      for (let column = 0; column < columns; column += 1) {
        data.set(pixel(parts, samples, column), (target + column * right) * 4);
      }
    }
  }
  return { width, height, data };
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Parts}
 */
function readParts(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const none = new Uint8Array();
  /** @type {Record<string, Uint8Array<ArrayBuffer>>} */
  const chunks = { PLTE: none, tRNS: none };
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
 * @param {Uint8Array} lines
 * @param {number} place Where the line begins, with its filter.
 * @param {number} length
 * @param {boolean} first Whether no line is above.
 * @param {number} step Bytes from a sample to the same of the next pixel.
 */
function unfilter(lines, place, length, first, step) {
  const filter = FILTERS[lines[place]];
  if (filter === undefined || place + length >= lines.length) {
    throw new RangeError("a damaged PNG");
  }
  const begin = place + 1;
  for (let index = 0; index < length; index += 1) {
    const left = index < step ? 0 : lines[begin + index - step];
    const up = first ? 0 : lines[begin + index - length - 1];
    const corner = first || index < step ? 0 : lines[begin + index - length - 1 - step];
    lines[begin + index] += filter(left, up, corner);
  }
}

/** @type {((left: number, up: number, corner: number) => number)[]} */
const FILTERS = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  (left, up, corner) => {
    const guess = left + up - corner;
    const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
    return a <= b && a <= c ? left : b <= c ? up : corner;
  },
];

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
 * @param {Parts} parts
 * @param {Uint8Array} samples
 * @param {number} column
 * @returns {[number, number, number, number]}
 */
function pixel({ header: { depth, colour }, palette, transparency }, samples, column) {
  const from = column * SAMPLES[colour];
  const [first, second, third] = [samples[from], samples[from + 1], samples[from + 2]];
  if (colour === 3) {
    const entry = first * 3;
    return [palette[entry], palette[entry + 1], palette[entry + 2], transparency[first] ?? 255];
  }
  if (colour === 2 || colour === 6) {
    const hidden =
      transparency[1] === first && transparency[3] === second && transparency[5] === third;
    return [first, second, third, colour === 6 ? samples[from + 3] : hidden ? 0 : 255];
  }
  const grey = (first * 255) / (2 ** depth - 1);
  return [grey, grey, grey, colour === 4 ? second : transparency[1] === first ? 0 : 255];
}
