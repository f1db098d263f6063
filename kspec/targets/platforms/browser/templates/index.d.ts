import type { Device, LoadOptions, Tensor } from "./lib/types.js";
import type { Answers, Inputs } from "./model.js";

export type * from "./lib/types.js";
export type { Answers, Inputs } from "./model.js";
export { description } from "./model.js";

/**
 * Load the model. `baseUrl` is the served folder of this package, by default the folder of this
 * module.
 */
export function load(baseUrl?: string | URL, options?: LoadOptions): Promise<Model>;

export class Model {
  private constructor();
  /** Name and version of the runtime. */
  readonly engine: string;
  /** The device that runs the model. */
  readonly device: Device;
  /** Whether `predictAll` runs all rows at once. */
  readonly batches: boolean;
  /** The answer to one row. Rejects with a TypeError or RangeError for an unsuitable value. */
  predict(inputs: Inputs): Promise<Answers>;
  /** The answers to several rows. */
  predictAll(rows: readonly Inputs[]): Promise<Answers[]>;
  /** The answers, and for each row the arrays by output. */
  run(rows: readonly Inputs[]): Promise<{ answers: Answers[]; outputs: Map<string, Tensor>[] }>;
  /** Free the memory of the model outside of JavaScript's heap. */
  close(): Promise<void>;
}
