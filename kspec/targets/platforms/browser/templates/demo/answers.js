// @ts-check
import { element } from "./elements.js";

/** @import { Answer, Decision } from "../lib/types.js" */

const MOST_BARS = 10;

/**
 * The model's answers, with an `article` element for each output.
 *
 * @param {object} answers
 */
export function showAnswers(answers) {
  const several = Object.keys(answers).length > 1;
  return Object.entries(answers).map(([name, answer]) => {
    const heading = element("h3", { textContent: name, className: several ? "" : "unseen" });
    return element(
      "article",
      {},
      heading,
      ...(isDecision(answer) ? decision(answer) : numbers(answer)),
    );
  });
}

/** @param {Decision} answer */
function decision({ label, confidence, probabilities }) {
  const bars = Object.entries(probabilities);
  const shown = bars.length > MOST_BARS ? highest(bars) : bars;
  return [
    element(
      "p",
      { className: "label" },
      element("strong", { textContent: label }),
      element("span", { textContent: percent(confidence) }),
    ),
    element(
      "ol",
      { className: "bars" },
      ...shown.map(([each, value]) => bar(each, value, each === label)),
    ),
  ];
}

/** @param {[string, number][]} bars */
function highest(bars) {
  return bars.toSorted(([, a], [, b]) => b - a).slice(0, MOST_BARS);
}

/**
 * @param {string} label
 * @param {number} value
 * @param {boolean} best
 */
function bar(label, value, best) {
  return element(
    "li",
    { className: best ? "best" : "" },
    element("span", { className: "of", textContent: label }),
    element("progress", { max: 1, value, ariaLabel: label }),
    element("span", { className: "share", textContent: percent(value) }),
  );
}

/** @param {Exclude<Answer, Decision>} answer */
function numbers(answer) {
  if (typeof answer === "number") {
    return [
      element("p", { className: "label" }, element("strong", { textContent: round(answer) })),
    ];
  }
  const values = "shape" in answer ? answer.data : answer;
  const text = Array.from(values.slice(0, 64), round).join("  ");
  const more = values.length > 64 ? ` … ${values.length} numbers` : "";
  return [element("p", { className: "numbers", textContent: text + more })];
}

/**
 * @param {Answer} answer
 * @returns {answer is Decision}
 */
function isDecision(answer) {
  return typeof answer === "object" && "probabilities" in answer;
}

/** @param {number} value */
function percent(value) {
  return value.toLocaleString("en", {
    style: "percent",
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });
}

/** @param {number} value */
function round(value) {
  return String(Number(value.toPrecision(6)));
}
