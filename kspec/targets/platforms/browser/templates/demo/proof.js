// @ts-check
import { selftest, spell } from "../lib/selftest.js";
import { byId, element } from "./elements.js";

/** @import { Device, Verdict } from "../lib/types.js" */

/**
 * Run the self-test, show it, and print its line.
 *
 * @param {URL} base
 * @param {Device} device
 */
export async function prove(base, device) {
  const badge = byId("verdict");
  Object.assign(badge, { textContent: "running", className: "verdict" });
  const verdict = await selftest(base, { device });
  console.log(spell(verdict));
  Object.assign(badge, {
    textContent: verdict.pass ? "pass" : "fail",
    className: `verdict ${verdict.pass ? "good" : "bad"}`,
  });
  byId("selftest").tBodies[0].replaceChildren(...rows(verdict).map(line));
  byId("problems").replaceChildren(
    ...verdict.problems.map((textContent) => element("li", { textContent })),
  );
}

/**
 * @param {Verdict} verdict
 * @returns {[string, string][]}
 */
function rows(verdict) {
  const { worst_error_ratio: worst, picture_error: picture, latency_ms: latency } = verdict;
  return [
    ["Model", `${verdict.name} ${verdict.version}`],
    ["Artifact", verdict.artifact],
    ["Engine", verdict.engine ?? "none"],
    ["Device", verdict.device === "webgpu" ? "WebGPU" : "WebAssembly"],
    ["Golden rows", String(verdict.rows)],
    [
      "Worst error",
      worst === null ? "not finite" : `${(100 * worst).toPrecision(2)} % of the tolerance`,
    ],
    ["Labels that differ", String(verdict.flips)],
    ...(picture === null
      ? []
      : [
          /** @type {[string, string]} */ ([
            "Golden picture",
            picture === 0 ? "exact" : picture.toExponential(1),
          ]),
        ]),
    ["Latency, median", latency === null ? "not measured" : `${latency.toPrecision(2)} ms`],
  ];
}

/** @param {[string, string]} row */
function line([name, value]) {
  return element(
    "tr",
    {},
    element("th", { scope: "row", textContent: name }),
    element("td", { textContent: value }),
  );
}
