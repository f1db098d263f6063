// @ts-check

/** @import { Answer, Decision, OutputDescription, Tensor } from "./types.js" */

/**
 * The meaning of the outputs of one row, by output.
 *
 * @param {readonly OutputDescription[]} outputs
 * @param {ReadonlyMap<string, Tensor>} row
 * @returns {Record<string, Answer>}
 */
export function interpret(outputs, row) {
  return Object.fromEntries(
    outputs.map((output) => {
      const tensor = /** @type {Tensor} */ (row.get(output.name));
      return [output.name, meaning(tensor, output)];
    }),
  );
}

/**
 * A decision, one number, several, or an array of more axes.
 *
 * @param {Tensor} tensor
 * @param {OutputDescription} output
 * @returns {Answer}
 */
function meaning(tensor, output) {
  const { data, shape } = tensor;
  if (shape.length > 1) {
    return tensor;
  }
  if (output.labels.length > 0) {
    return decide(output, [...data]);
  }
  return data.length === 1 ? data[0] : Float32Array.from(data);
}

/**
 * The first label with the largest value, or with a threshold the second label above it. Throws a
 * RangeError for NaN.
 *
 * @param {OutputDescription} output
 * @param {number[]} values
 * @returns {Decision}
 */
function decide({ labels, threshold, logits }, values) {
  if (values.some(Number.isNaN)) {
    throw new RangeError("the model's answer is not a number");
  }
  const best =
    threshold === null ? values.indexOf(Math.max(...values)) : Number(values[0] > threshold);
  const probabilities = threshold === null ? shares(values, logits) : pair(values[0], logits);
  return {
    label: labels[best],
    confidence: probabilities[best],
    probabilities: Object.fromEntries(labels.map((label, index) => [label, probabilities[index]])),
  };
}

/**
 * @param {number[]} values
 * @param {boolean} logits
 */
function shares(values, logits) {
  if (!logits) {
    return values;
  }
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/**
 * @param {number} value
 * @param {boolean} logits
 */
function pair(value, logits) {
  const positive = logits ? 1 / (1 + Math.exp(-value)) : value;
  return [1 - positive, positive];
}
