import type { Device, LoadOptions, Tensor } from "./lib/types.js";
import type { Answers, Inputs } from "./model.js";

export type * from "./lib/types.js";
export type { Answers, Inputs } from "./model.js";
export { description } from "./model.js";

/**
 * Load the model. `baseUrl` is the folder that this package is served from; without it, the one
 * that this module was loaded from.
 */
export function load(baseUrl?: string | URL, options?: LoadOptions): Promise<Model>;

export class Model {
  private constructor();
  /** Name and version of the runtime. */
  readonly engine: string;
  /** What it really runs on. */
  readonly device: Device;
  /** Whether `predictAll` hands over all rows at once. */
  readonly batches: boolean;
  /** The answer to one row. Rejects with a TypeError or RangeError for what is no such row. */
  predict(inputs: Inputs): Promise<Answers>;
  /** The answers to several rows. */
  predictAll(rows: readonly Inputs[]): Promise<Answers[]>;
  /** The answers, with the arrays that each was read from, by output. */
  run(rows: readonly Inputs[]): Promise<{ answers: Answers[]; outputs: Map<string, Tensor>[] }>;
  /** Free what the model holds outside of JavaScript's heap. */
  close(): Promise<void>;
}
