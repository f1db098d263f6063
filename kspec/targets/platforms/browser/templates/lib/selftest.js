// @ts-check
import { description, load } from "../index.js";
import { folderOf, readBytes } from "./files.js";
import { readAbout, readGolden, rowOf } from "./golden.js";
import { prepare } from "./inputs.js";
import { Judge, largest } from "./judge.js";
import { alteredFiles } from "./sealed.js";

/**
 * @import { LoadOptions, Tensor, Verdict } from "./types.js"
 * @import { Model } from "../index.js"
 * @import { About, Golden } from "./golden.js"
 */

/** @typedef {ReadonlyMap<string, Golden>} Rows */

const CALLS = 20;
const PICTURE_TOLERANCE = 1e-6;
/** A template literal, as in index.js. */
const HERE = new URL("../", `${import.meta.url}`);

/**
 * @param {string | URL} baseUrl
 * @param {LoadOptions} options
 * @returns {Promise<Verdict>}
 */
export async function selftest(baseUrl = HERE, options = {}) {
  const found = {
    ...BLANK,
    device: options.device ?? "wasm",
    problems: /** @type {string[]} */ ([]),
  };
  let model;
  try {
    const base = folderOf(baseUrl);
    found.problems.push(...(await alteredFiles(base)));
    const about = await readAbout(base);
    const golden = await readGolden(base, about);
    model = await load(base, options);
    Object.assign(found, { engine: model.engine, device: model.device, rows: about.golden.rows });
    const judge = new Judge(about, golden);
    Object.assign(found, await judgeRows(model, about, golden, judge));
    found.problems.push(...judge.problems);
    found.picture_error = await pictureError(base, about, golden);
    if (found.picture_error !== null && !(found.picture_error <= PICTURE_TOLERANCE)) {
      found.problems.push(`the golden picture differs by ${found.picture_error} of the maximum`);
    }
    found.latency_ms = await latency(model, rowFor(about, golden, 0));
  } catch (error) {
    found.problems.push(error instanceof Error ? error.message : String(error));
  } finally {
    await model?.close();
  }
  return { ...found, pass: found.problems.length === 0 };
}

/** @param {Verdict} verdict */
export function spell(verdict) {
  const text = JSON.stringify(verdict).replace(/[\u007f-\uffff]/g, (each) => {
    return `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `KSPEC-SELFTEST ${text}`;
}

/** @type {Omit<Verdict, "problems">} */
const BLANK = {
  platform: "browser",
  name: description.name,
  version: description.version,
  engine: null,
  device: "",
  artifact: description.artifact,
  rows: 0,
  worst_error_ratio: null,
  flips: 0,
  picture_error: null,
  latency_ms: null,
  pass: false,
};

/**
 * Each row by itself, then all at once if the artifact takes several rows.
 *
 * @param {Model} model
 * @param {About} about
 * @param {Rows} golden
 * @param {Judge} judge
 */
async function judgeRows(model, about, golden, judge) {
  const rows = Array.from({ length: about.golden.rows }, (_, row) => rowFor(about, golden, row));
  for (const [index, row] of rows.entries()) {
    const { answers, outputs } = await model.run([row]);
    judge.row(index, answers[0], outputs[0]);
  }
  if (model.batches) {
    const { answers, outputs } = await model.run(rows);
    answers.forEach((answer, index) => judge.row(index, answer, outputs[index]));
  }
  return { worst_error_ratio: judge.ratio, flips: judge.flips };
}

/**
 * The inputs of a row as an app passes them: numbers by the names of their columns in the bundle's
 * description.
 *
 * @param {About} about
 * @param {Rows} golden
 * @param {number} row
 * @returns {any}
 */
function rowFor({ signature }, golden, row) {
  return Object.fromEntries(
    signature.inputs.map(({ name, steps, columns, columns_by_name: named }) => {
      const tensor = rowOf(golden, `input/${name}`, row);
      if (named) {
        return [
          name,
          Object.fromEntries(columns.map((column, index) => [column, tensor.data[index]])),
        ];
      }
      return [name, steps.some(({ place }) => place === "host") ? tensor.data : tensor];
    }),
  );
}

/**
 * @param {URL} base
 * @param {About} about
 * @param {Rows} golden
 */
async function pictureError(base, { golden: { pictures } }, golden) {
  const errors = [];
  for (const [name, path] of Object.entries(pictures)) {
    const inputs = description.inputs.filter((input) => input.name === name);
    const picture = await readBytes(new URL(path, base));
    const found = /** @type {Tensor} */ ((await prepare(inputs, { [name]: picture })).get(name));
    const expected = rowOf(golden, `picture/${name}`, 0).data;
    const differences = Array.from(found.data, (value, index) => Math.abs(value - expected[index]));
    errors.push(largest(differences) / largest(Array.from(expected)));
  }
  return errors.length ? largest(errors) : null;
}

/**
 * @param {Model} model
 * @param {any} row
 */
async function latency(model, row) {
  const times = [];
  for (let call = 0; call < CALLS; call += 1) {
    const begin = performance.now();
    await model.predict(row);
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return (times[CALLS / 2 - 1] + times[CALLS / 2]) / 2;
}
