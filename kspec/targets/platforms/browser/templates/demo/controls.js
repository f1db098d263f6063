// @ts-check
import { element } from "./elements.js";
import { PictureControl } from "./picture.js";

/** @import { InputDescription, Tensor } from "../lib/types.js" */

/**
 * The control of an input.
 *
 * @typedef {object} Control
 * @property {HTMLElement} element
 * @property {() => any} value The value for `predict`.
 * @property {(tensor: Tensor) => void} show Shows an example.
 */

/** @typedef {(input: InputDescription, changed: () => void) => Control} Make */

/** @type {Record<string, Make>} By the name of the step that takes the cell. */
const CONTROLS = { decode_image: (input, changed) => new PictureControl(input, changed) };

/** @type {Make} */
export function controlOf(input, changed) {
  const [first] = input.steps;
  const isVector = input.shape.length === 2 && typeof input.shape[1] === "number";
  const make = first ? CONTROLS[first.step] : isVector ? rowControl : arrayControl;
  return make(input, changed);
}

/**
 * A field for each number.
 *
 * @param {InputDescription} input
 * @param {() => void} changed
 * @returns {Control}
 */
function rowControl({ name, shape, columns }, changed) {
  const size = Number(shape.at(-1));
  const named = columns.length > 0;
  const titles = named ? columns : Array.from({ length: size }, (_, index) => String(index + 1));
  const fields = titles.map(() => {
    return element("input", {
      type: "text",
      inputMode: "decimal",
      autocomplete: "off",
      value: "0",
      oninput: changed,
    });
  });
  const labels = titles.map((title, index) => {
    return element("label", {}, element("span", { textContent: title }), fields[index]);
  });
  return {
    element: element(
      "fieldset",
      { className: "row" },
      element("legend", { textContent: name }),
      ...labels,
    ),
    value() {
      const values = fields.map((field) => numberIn(field));
      return named
        ? Object.fromEntries(columns.map((column, index) => [column, values[index]]))
        : values;
    },
    show({ data }) {
      fields.forEach((field, index) => {
        field.value = shortest(data[index]);
        field.setAttribute("aria-invalid", "false");
      });
    },
  };
}

/**
 * The values of an array of any shape, in order.
 *
 * @param {InputDescription} input
 * @param {() => void} changed
 * @returns {Control}
 */
function arrayControl({ name, shape }, changed) {
  const area = element("textarea", {
    rows: 4,
    spellcheck: false,
    oninput: changed,
    ariaLabel: name,
  });
  const wanted = shape.slice(1);
  /** @type {readonly number[]} */
  let example = [];
  return {
    element: element(
      "fieldset",
      {},
      element("legend", { textContent: `${name}, ${wanted.join(" × ")} numbers` }),
      area,
    ),
    value() {
      const data = Float32Array.from(area.value.split(/[\s,]+/).filter(Boolean), Number);
      return { data, shape: sizes(wanted, data.length) ?? example };
    },
    show(tensor) {
      example = tensor.shape;
      area.value = Array.from(tensor.data, shortest).join(", ");
    },
  };
}

/**
 * The shape for a number of values; at most one size is open.
 *
 * @param {readonly (number | string)[]} wanted
 * @param {number} length
 */
function sizes(wanted, length) {
  const known = wanted
    .filter((each) => typeof each === "number")
    .reduce((product, each) => product * each, 1);
  const open = wanted.filter((each) => typeof each === "string").length;
  return open > 1 ? null : wanted.map((each) => (typeof each === "number" ? each : length / known));
}

/** @param {HTMLInputElement} field */
function numberIn(field) {
  const text = field.value.trim();
  const value = text === "" ? Number.NaN : Number(text);
  field.setAttribute("aria-invalid", String(Number.isNaN(value)));
  return value;
}

/**
 * The shortest decimal that rounds to this float32.
 *
 * @param {number} value
 */
function shortest(value) {
  for (let digits = 1; digits < 9; digits += 1) {
    const found = Number(value.toPrecision(digits));
    if (Math.fround(found) === Math.fround(value)) {
      return String(found);
    }
  }
  return String(value);
}
