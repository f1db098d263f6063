// @ts-check
import { decodePng, isPng } from "./png.js";

/** @import { Pixels } from "./types.js" */

/** More pixels than this are not decoded, as in training. */
export const MAX_PIXELS = 64 * 2 ** 20;

/** Colours as the file has them: no profile applied, nothing multiplied; upright as EXIF says. */
/** @type {ImageBitmapOptions} */
const AS_STORED = {
  colorSpaceConversion: "none",
  imageOrientation: "from-image",
  premultiplyAlpha: "none",
};

/**
 * The pixels of a file, of an element or of what already is pixels.
 *
 * A PNG is decoded here: exactly, the same in each browser and under Node, and with the colours of
 * transparent pixels, which a canvas loses. Any other file is the browser's: of a JPEG, decoders
 * differ by a step or two of 255.
 *
 * @param {unknown} given
 * @returns {Promise<Pixels>}
 */
export async function decode(given) {
  if (isPixels(given)) {
    return checked(given);
  }
  const bytes = await bytesOf(given);
  if (bytes !== null && isPng(bytes)) {
    return decodePng(bytes, MAX_PIXELS);
  }
  if (typeof createImageBitmap !== "function") {
    throw new TypeError("outside of a browser a picture is a PNG, or width, height and data");
  }
  const source = bytes === null ? /** @type {ImageBitmapSource} */ (given) : new Blob([bytes]);
  const bitmap = await createImageBitmap(source, AS_STORED);
  try {
    return readBack(checked(bitmap));
  } finally {
    bitmap.close();
  }
}

/**
 * @param {unknown} given
 * @returns {given is Pixels}
 */
function isPixels(given) {
  const { data, width, height } = /** @type {Partial<Pixels>} */ (given ?? {});
  if (!(data instanceof Uint8ClampedArray || data instanceof Uint8Array)) {
    return false;
  }
  if (data.length !== Number(width) * Number(height) * 4) {
    throw new RangeError(`${data.length} bytes are no ${width} × ${height} pixels of 4 bytes`);
  }
  return true;
}

/**
 * @param {unknown} given
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>}
 */
async function bytesOf(given) {
  if (given instanceof Blob) {
    return new Uint8Array(await given.arrayBuffer());
  }
  if (given instanceof ArrayBuffer) {
    return new Uint8Array(given);
  }
  return given instanceof Uint8Array ? new Uint8Array(given) : null;
}

/**
 * @template {{ width: number, height: number }} Sized
 * @param {Sized} picture
 */
function checked(picture) {
  if (picture.width * picture.height > MAX_PIXELS) {
    throw new RangeError(`${picture.width} × ${picture.height} pixels, more than ${MAX_PIXELS}`);
  }
  return picture;
}

/**
 * @param {ImageBitmap} bitmap
 * @returns {Pixels}
 */
function readBack(bitmap) {
  const { width, height } = bitmap;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  if (context === null) {
    throw new Error("the browser gives no canvas to read pixels from");
  }
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}
