// @ts-check
import { rowOf } from "./golden.js";

/**
 * @import { Answers } from "../model.js"
 * @import { Tensor } from "./types.js"
 * @import { About, Golden, Tolerance } from "./golden.js"
 */

/** @typedef {{ threshold: number | null, scale: number, tolerance: Tolerance }} Output */

const MOST_PROBLEMS = 8;

/**
 * Compares rows with the golden ones: |Δ| ≤ atol · s + rtol · |reference|, s the largest |reference|
 * of the output, at most 1; NaN fails; labels are equal except for ties.
 */
export class Judge {
  /** The largest |Δ| / tolerance; null after a value that is not finite. */
  ratio = /** @type {number | null} */ (0);
  /** @type {string[]} */
  problems = [];
  /** @type {Set<number>} */
  #flipped = new Set();
  /** @type {ReadonlyMap<string, Golden>} */
  #golden;
  /** @type {Map<string, Output>} */
  #outputs;

  /**
   * @param {About} about
   * @param {ReadonlyMap<string, Golden>} golden
   */
  constructor(about, golden) {
    this.#golden = golden;
    const [{ tolerances }] = about.artifacts;
    this.#outputs = new Map(
      about.signature.outputs.map(({ name, decision }) => {
        const { data } = /** @type {Golden} */ (golden.get(`output/${name}`));
        const threshold = decision?.threshold ?? null;
        return [name, { threshold, scale: scaleOf(data), tolerance: tolerances[name] }];
      }),
    );
  }

  /** The number of rows with another label. */
  get flips() {
    return this.#flipped.size;
  }

  /**
   * @param {number} index
   * @param {Answers} answers
   * @param {ReadonlyMap<string, Tensor>} outputs
   */
  row(index, answers, outputs) {
    for (const [name, output] of this.#outputs) {
      const reference = rowOf(this.#golden, `output/${name}`, index);
      this.#compare(`row ${index}, ${name}`, outputs.get(name), reference, output);
      if (this.#golden.has(`decision/${name}`)) {
        const { label } = /** @type {Record<string, any>} */ (answers)[name];
        this.#decide(index, name, label, reference.data, output);
      }
    }
  }

  /**
   * @param {string} where
   * @param {Tensor | undefined} found
   * @param {Golden} reference
   * @param {Output} output
   */
  #compare(where, found, reference, { scale, tolerance }) {
    if (found?.shape.join() !== reference.shape.join()) {
      this.#blame(`${where}: the shape is ${found?.shape.join(" × ")}`);
      return;
    }
    const { atol, rtol } = tolerance;
    const ratios = Array.from(found.data, (value, index) => {
      const expected = reference.data[index];
      const allowed = atol * scale + rtol * Math.abs(expected);
      return value === expected ? 0 : Math.abs(value - expected) / allowed;
    });
    const worst = largest(ratios);
    if (!Number.isFinite(worst)) {
      this.ratio = null;
      this.#blame(`${where}: a value is not finite`);
    } else {
      this.ratio = this.ratio === null ? null : Math.max(this.ratio, worst);
      if (worst > 1) {
        this.#blame(`${where}: ${worst.toPrecision(3)} × the tolerance`);
      }
    }
  }

  /**
   * @param {number} index
   * @param {string} name
   * @param {string} label
   * @param {ArrayLike<number>} reference
   * @param {Output} output
   */
  #decide(index, name, label, reference, { threshold, scale, tolerance }) {
    const { data } = rowOf(this.#golden, `decision/${name}`, index);
    const expected = new TextDecoder().decode(Uint8Array.from(data)).replace(/\0+$/, "");
    const atol = tolerance.atol * scale;
    if (label !== expected && marginOf(reference, threshold) > atol) {
      this.#flipped.add(index);
      this.#blame(`row ${index}, ${name}: the label is ${label}, not ${expected}`);
    }
  }

  /** @param {string} problem */
  #blame(problem) {
    if (this.problems.length < MOST_PROBLEMS) {
      this.problems.push(problem);
    }
  }
}

/**
 * The change of each value below which the label stays the same.
 *
 * @param {ArrayLike<number>} reference
 * @param {number | null} threshold
 */
function marginOf(reference, threshold) {
  if (threshold !== null) {
    return Math.abs(reference[0] - threshold);
  }
  const [first, second] = Array.from(reference).sort((a, b) => b - a);
  return (first - second) / 2;
}

/**
 * The largest value; NaN if a value is NaN.
 *
 * @param {number[]} values
 */
export function largest(values) {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** @param {ArrayLike<number>} reference */
function scaleOf(reference) {
  return Math.min(1, largest(Array.from(reference, Math.abs).filter(Number.isFinite))) || 1;
}
