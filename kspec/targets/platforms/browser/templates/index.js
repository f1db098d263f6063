// @ts-check
import { interpret } from "./lib/answers.js";
import { split, stack } from "./lib/batches.js";
import { open } from "./lib/engine.js";
import { folderOf, readBytes } from "./lib/files.js";
import { prepare } from "./lib/inputs.js";
import { description } from "./model.js";

/**
 * @import { LoadOptions, Session, Tensor } from "./lib/types.js"
 * @import { Answers, Inputs } from "./model.js"
 */

export { description };

/** A template literal, because bundlers replace a plain `new URL(…, import.meta.url)`. */
const HERE = new URL("./", `${import.meta.url}`);

/**
 * @param {string | URL} baseUrl
 * @param {LoadOptions} options
 */
export async function load(baseUrl = HERE, { device = "wasm" } = {}) {
  const base = folderOf(baseUrl);
  const [main, ...others] = await Promise.all(
    [description.artifact, ...description.beside].map((path) => readBytes(new URL(path, base))),
  );
  const names = description.beside.map((path) => path.slice(path.lastIndexOf("/") + 1));
  const beside = new Map(names.map((name, index) => [name, others[index]]));
  return new Model(await open(base, { main, beside }, device));
}

export class Model {
  /** @type {Session} */
  #session;

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  get engine() {
    return this.#session.engine;
  }

  get device() {
    return this.#session.device;
  }

  get batches() {
    return this.#session.batches;
  }

  /** @param {Inputs} inputs */
  async predict(inputs) {
    return (await this.predictAll([inputs]))[0];
  }

  /** @param {readonly Inputs[]} rows */
  async predictAll(rows) {
    return (await this.run(rows)).answers;
  }

  /**
   * @param {readonly Inputs[]} rows
   * @returns {Promise<{ answers: Answers[], outputs: Map<string, Tensor>[] }>}
   */
  async run(rows) {
    const prepared = await Promise.all(rows.map((row) => prepare(description.inputs, row)));
    const outputs = [];
    for (const batch of this.batches ? stack(prepared) : prepared.flatMap((row) => stack([row]))) {
      outputs.push(...split(await this.#session.run(batch)));
    }
    const answers = outputs.map((row) => interpret(description.outputs, row));
    return { answers: /** @type {any[]} */ (answers), outputs };
  }

  async close() {
    await this.#session.close();
  }
}
