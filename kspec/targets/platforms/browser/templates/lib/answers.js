// @ts-check

/** @import { Answer, Decision, OutputDescription, Tensor } from "./types.js" */

/**
 * What the outputs of one row mean, by output.
 *
 * @param {readonly OutputDescription[]} outputs
 * @param {ReadonlyMap<string, Tensor>} row
 * @returns {Record<string, Answer>}
 */
export function interpret(outputs, row) {
  return Object.fromEntries(
    outputs.map((output) => {
      const tensor = /** @type {Tensor} */ (row.get(output.name));
      return [output.name, KINDS[tensor.shape.length > 1 ? "tensor" : output.kind](tensor, output)];
    }),
  );
}

/** @type {Record<string, (tensor: Tensor, output: OutputDescription) => Answer>} */
const KINDS = {
  category: ({ data }, { labels }) => decide(labels, [...data]),
  binary: ({ data }, { labels }) => decide(labels, [1 - data[0], data[0]]),
  number: ({ data }) => (data.length === 1 ? data[0] : Float32Array.from(data)),
  tensor: (tensor) => tensor,
};

/**
 * The first of the most probable: of two labels the second one only above ½. Raises a RangeError
 * for what is not a number, which decides nothing.
 *
 * @param {readonly string[]} labels
 * @param {number[]} probabilities
 * @returns {Decision}
 */
function decide(labels, probabilities) {
  const best = probabilities.indexOf(probabilities.reduce((a, b) => Math.max(a, b)));
  if (best < 0) {
    throw new RangeError("the model's answer is not a number");
  }
  return {
    label: labels[best],
    confidence: probabilities[best],
    probabilities: Object.fromEntries(labels.map((label, index) => [label, probabilities[index]])),
  };
}
