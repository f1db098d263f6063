// @ts-check
import { maximumOf } from "../lib/steps.js";
import { element } from "./elements.js";

/** @import { InputDescription, Pixels } from "../lib/types.js" */

/** @typedef {CanvasRenderingContext2D} Surface */

/**
 * @param {number} width
 * @param {number} height
 * @param {string} className
 */
export function surface(width, height, className) {
  const canvas = element("canvas", { width, height, className, role: "img" });
  return /** @type {Surface} */ (canvas.getContext("2d", { willReadFrequently: true }));
}

/** @param {Surface} context */
export function wipe(context) {
  context.fillStyle = "black";
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
}

/**
 * @param {Surface} context
 * @param {Pixels} pixels
 */
export function paint(context, { width, height, data }) {
  const small = surface(width, height, "");
  small.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
  wipe(context);
  const { canvas } = context;
  const scale = Math.min(canvas.width / width, canvas.height / height);
  context.imageSmoothingEnabled = scale < 1;
  context.drawImage(
    small.canvas,
    (canvas.width - width * scale) / 2,
    (canvas.height - height * scale) / 2,
    width * scale,
    height * scale,
  );
}

/**
 * The drawing as a picture of the model's size or, if the model resizes bilinearly, of twice the
 * size, so that each pixel of the model is the mean of four.
 *
 * @param {Surface} stage
 * @param {InputDescription} input
 */
export function drawing({ canvas }, { shape, steps }) {
  const times = steps.some(({ method }) => method === "bilinear") ? 2 : 1;
  const [height, width] = [Number(shape[1]) * times, Number(shape[2]) * times];
  const small = surface(width, height, "");
  small.imageSmoothingQuality = "high";
  small.drawImage(canvas, 0, 0, width, height);
  return small.getImageData(0, 0, width, height);
}

/**
 * Values of the model's input as a picture to show.
 *
 * @param {ArrayLike<number>} values
 * @param {InputDescription} input
 * @returns {Pixels}
 */
export function pixelsOf(values, { shape, steps }) {
  const [height, width, channels] = /** @type {number[]} */ (shape.slice(1));
  const factor = 255 / maximumOf(steps);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      data[pixel * 4 + channel] = values[pixel * channels + (channels < 3 ? 0 : channel)] * factor;
    }
    data[pixel * 4 + 3] = channels % 2 === 0 ? values[(pixel + 1) * channels - 1] * factor : 255;
  }
  return { width, height, data };
}

/**
 * @param {Surface} context
 * @param {number} pen
 * @param {() => void} begin
 * @param {() => void} changed
 */
export function draw(context, pen, begin, changed) {
  const { canvas } = context;
  canvas.classList.add("drawable");
  /** @param {PointerEvent} event */
  const at = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return /** @type {const} */ ([(clientX - box.left) * scale, (clientY - box.top) * scale]);
  };
  /** @type {readonly [number, number] | null} */
  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    begin();
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    stroke(event);
  });
  /** @param {PointerEvent} event */
  const stroke = (event) => {
    if (last === null) {
      return;
    }
    Object.assign(context, {
      lineCap: "round",
      lineJoin: "round",
      lineWidth: pen,
      strokeStyle: "white",
    });
    context.beginPath();
    context.moveTo(...last);
    last = at(event);
    context.lineTo(...last);
    context.stroke();
    changed();
  };
  canvas.addEventListener("pointermove", stroke);
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => (last = null));
  }
}

/**
 * @param {HTMLElement} target
 * @param {(file: File) => void} take
 */
export function acceptDrops(target, take) {
  target.addEventListener("dragover", (event) => {
    event.preventDefault();
    target.classList.add("over");
  });
  target.addEventListener("dragleave", () => target.classList.remove("over"));
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    target.classList.remove("over");
    const file = event.dataTransfer?.files[0];
    file && take(file);
  });
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    file && take(file);
  });
}
