/** Upright pixels: red, green, blue and alpha of each, row by row, from the top left. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}

/**
 * A picture: its file (PNG, and in a page any format that the browser decodes), its pixels, an
 * element that shows it, or, as Float32Array, the raw values as in the training data.
 */
export type Picture =
  | Blob
  | ArrayBuffer
  | Uint8Array
  | Pixels
  | ImageBitmap
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas
  | Float32Array;

/** Numbers in the order of the columns. */
export type Vector = Float32Array | Int32Array | readonly number[];

/** Numbers by column; none may be missing. */
export type Row<Column extends string> = Readonly<Record<Column, number>>;

/** An array of one row; its shape does not contain the batch. */
export interface Tensor {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** An array of several rows; its shape contains the batch. */
export type Batch = Tensor;

export interface Decision<Label extends string = string> {
  /** The most probable label. */
  readonly label: Label;
  /** The label's probability, from 0 to 1. */
  readonly confidence: number;
  /** The probability of each label. */
  readonly probabilities: Readonly<Record<Label, number>>;
}

export type Answer = Decision | number | Float32Array | Tensor;

/** `webgpu` falls back to `wasm` if the browser has no adapter. */
export type Device = "wasm" | "webgpu";

export interface LoadOptions {
  readonly device?: Device;
}

export interface InputDescription {
  readonly name: string;
  readonly dtype: string;
  /** The sizes, including the batch; a size that varies is a name. */
  readonly shape: readonly (number | string)[];
  readonly columns: readonly string[];
  /** The steps from a file to the tensor, in order; empty for inputs of raw numbers. */
  readonly steps: readonly Step[];
}

/** A step of `kspec-bundle.json` that runs in the client, with its fields. */
export interface Step {
  readonly step: string;
  readonly [field: string]: any;
}

export interface OutputDescription {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly labels: readonly string[];
  /** The value above which a binary output decides for its second label; else null. */
  readonly threshold: number | null;
  /** Whether the values are the logits of probabilities. */
  readonly logits: boolean;
}

export interface Description {
  readonly name: string;
  readonly version: string;
  readonly about: string;
  /** The path of the artifact's main file. */
  readonly artifact: string;
  /** The paths of its other files, such as external weights. */
  readonly beside: readonly string[];
  readonly inputs: readonly InputDescription[];
  readonly outputs: readonly OutputDescription[];
}

/** The content of the artifact's files. */
export interface Artifact {
  readonly main: Uint8Array;
  /** The other files by name. */
  readonly beside: ReadonlyMap<string, Uint8Array>;
}

/** The loaded artifact. */
export interface Session {
  /** Name and version of the runtime. */
  readonly engine: string;
  readonly device: Device;
  /** Whether the artifact takes several rows at once. */
  readonly batches: boolean;
  run(feeds: ReadonlyMap<string, Batch>): Promise<Map<string, Batch>>;
  close(): Promise<void>;
}

/** The line `KSPEC-SELFTEST`. */
export interface Verdict {
  readonly platform: "browser";
  readonly name: string;
  readonly version: string;
  readonly engine: string | null;
  readonly device: string;
  readonly artifact: string;
  readonly rows: number;
  /** The largest |Δ| / tolerance; null if a value is not finite. */
  readonly worst_error_ratio: number | null;
  /** The number of rows with another label than the trained model's, except ties. */
  readonly flips: number;
  /** The largest |Δ| of the golden pictures, relative to the largest value; null without any. */
  readonly picture_error: number | null;
  /** The median time of single rows, in milliseconds. */
  readonly latency_ms: number | null;
  readonly pass: boolean;
  readonly problems: readonly string[];
}
