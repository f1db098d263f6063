// @ts-check
import { prepare } from "../lib/inputs.js";
import { decode } from "../lib/pictures.js";
import { element } from "./elements.js";
import { acceptDrops, draw, drawing, paint, pixelsOf, surface, wipe } from "./stage.js";

/** @import { InputDescription, Tensor } from "../lib/types.js" */

/** Pictures up to this size can be drawn by hand. */
const DRAWABLE = 64;
const STAGE = 336;
/** The width of the pen, in pixels of the model's picture. */
const PEN = 1.15;

/** A canvas to draw on or drop a picture on, with the model's input beside it. */
export class PictureControl {
  #input;
  #changed;
  #stage;
  #seen;
  /** @type {any} A file, raw values, or null for the drawing. */
  #given = null;

  /**
   * @param {InputDescription} input
   * @param {() => void} changed
   */
  constructor(input, changed) {
    const [height, width, channels] = /** @type {number[]} */ (input.shape.slice(1));
    const drawable = Math.max(height, width) <= DRAWABLE && channels % 2 === 1;
    this.#input = input;
    this.#changed = changed;
    this.#stage = surface(STAGE, Math.round((STAGE * height) / width), "stage");
    this.#seen = surface(width, height, "seen");
    this.#stage.canvas.ariaLabel = `${drawable ? "Draw here, or drop" : "Drop"} a picture`;
    this.#seen.canvas.ariaLabel = "What the model sees";
    wipe(this.#stage);
    if (drawable) {
      const pen = (PEN * STAGE) / width;
      draw(
        this.#stage,
        pen,
        () => this.#begin(),
        () => this.#update(),
      );
    }
    const board = element("div", { className: "board" }, this.#stage.canvas);
    acceptDrops(board, (file) => this.#take(file));
    const legend = element("legend", { textContent: input.name });
    const beside = this.#beside(`The model sees ${width}\u00a0×\u00a0${height}`, drawable);
    this.element = element("fieldset", { className: "picture" }, legend, board, beside);
  }

  value() {
    return this.#given ?? drawing(this.#stage, this.#input);
  }

  /** @param {Tensor} example */
  show({ data }) {
    this.#given = Float32Array.from(data);
    paint(this.#stage, pixelsOf(data, this.#input));
    paint(this.#seen, pixelsOf(data, this.#input));
  }

  /**
   * @param {string} caption
   * @param {boolean} drawable
   */
  #beside(caption, drawable) {
    const file = element("input", { type: "file", accept: "image/*", className: "unseen" });
    file.addEventListener("change", () => file.files?.[0] && this.#take(file.files[0]));
    return element(
      "div",
      { className: "beside" },
      element("figure", {}, this.#seen.canvas, element("figcaption", { textContent: caption })),
      element("label", { className: "button" }, "Open a picture", file),
      element("button", { type: "button", textContent: "Clear", onclick: () => this.#clear() }),
      element("p", {
        className: "quiet",
        textContent: `${drawable ? "Draw, drop" : "Drop"} or paste a picture.`,
      }),
    );
  }

  /** Starts a drawing in place of a picture. */
  #begin() {
    if (this.#given !== null) {
      this.#given = null;
      wipe(this.#stage);
    }
  }

  #clear() {
    this.#given = null;
    wipe(this.#stage);
    return this.#update();
  }

  /** @param {File} file */
  async #take(file) {
    this.#given = file;
    try {
      paint(this.#stage, await decode(file, this.#input.steps[0].max_pixels));
    } catch {
      wipe(this.#stage); // the problem is shown with the answer
    }
    await this.#update();
  }

  async #update() {
    this.#changed();
    try {
      const found = await prepare([this.#input], { [this.#input.name]: this.value() });
      const { data } = /** @type {Tensor} */ (found.get(this.#input.name));
      paint(this.#seen, pixelsOf(data, this.#input));
    } catch {
      wipe(this.#seen);
    }
  }
}
