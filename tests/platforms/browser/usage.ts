// Uses of a client, right and wrong, for the type checker.
import { load } from "./index.js";
import type { Answers, Inputs, Model } from "./index.js";
import { selftest } from "./lib/selftest.js";

declare const file: File;
const model: Model = await load("/digits/", { device: "webgpu" });
const { digit } = await model.predict({ pixels: file });
const label: "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" = digit.label;
const likely: number = digit.probabilities["7"] + digit.confidence;
const several: Answers[] = await model.predictAll([
  { pixels: new Float32Array(64) },
  { pixels: file },
]);
const line: boolean = (await selftest()).pass;

// @ts-expect-error there is no such input
const first: Inputs = { picture: file };
// @ts-expect-error a path is not a picture
await model.predict({ pixels: "digit.png" });
// @ts-expect-error there is no such label
digit.probabilities["ten"];
// @ts-expect-error there is no such device
await load("/digits/", { device: "npu" });

export { first, label, likely, line, several };
