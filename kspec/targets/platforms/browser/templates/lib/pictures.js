// @ts-check
import { decodePng, isPng } from "./png.js";

/** @import { Pixels } from "./types.js" */

/** Stored colours: no colour profile applied, alpha not multiplied in; upright as EXIF says. */
/** @type {ImageBitmapOptions} */
const AS_STORED = {
  colorSpaceConversion: "none",
  imageOrientation: "from-image",
  premultiplyAlpha: "none",
};

/**
 * The pixels of a file, of an element or of an image's data, up to a maximum number.
 *
 * A PNG is decoded here: exactly, the same in each browser and under Node, and with the colours of
 * transparent pixels, which a canvas loses. The browser decodes any other file: decoders of JPEG
 * differ by a step or two of 255.
 *
 * @param {unknown} given
 * @param {number} most
 * @returns {Promise<Pixels>}
 */
export async function decode(given, most) {
  if (isPixels(given)) {
    return checked(given, most);
  }
  const bytes = await bytesOf(given);
  if (bytes !== null && isPng(bytes)) {
    return decodePng(bytes, most);
  }
  if (typeof createImageBitmap !== "function") {
    throw new TypeError("outside of a browser a picture is a PNG, or width, height and data");
  }
  const source = bytes === null ? /** @type {ImageBitmapSource} */ (given) : new Blob([bytes]);
  const bitmap = await createImageBitmap(source, AS_STORED);
  try {
    return readBack(checked(bitmap, most));
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
    throw new RangeError(`${data.length} bytes are not ${width} × ${height} pixels of 4 bytes`);
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
 * @param {number} most
 */
function checked(picture, most) {
  if (picture.width * picture.height > most) {
    throw new RangeError(`${picture.width} × ${picture.height} pixels, more than ${most}`);
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
