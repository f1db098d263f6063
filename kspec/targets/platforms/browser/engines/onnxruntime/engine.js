// @ts-check
import { importModule } from "./files.js";
import { hasWebGpu, proven } from "./probe.js";
import { Turns } from "./turns.js";

/** @import { Artifact, Batch, Device, Session } from "./types.js" */

/** @typedef {{ device: Device, module: string, wasm: string }} Build */

const turns = new Turns();
const FOLDER = "vendor/onnxruntime-web/dist/";
/** @type {Build} */
const WASM = { device: "wasm", module: "ort.wasm.min.mjs", wasm: "ort-wasm-simd-threaded" };
/** @type {Build} This build supports both devices. */
const WEBGPU = {
  device: "webgpu",
  module: "ort.webgpu.min.mjs",
  wasm: "ort-wasm-simd-threaded.asyncify",
};

/**
 * @param {URL} base
 * @param {Artifact} artifact
 * @param {Device} device
 * @returns {Promise<Session>}
 */
export async function open(base, artifact, device) {
  if (device === "webgpu") {
    try {
      if (await hasWebGpu()) {
        const candidate = await start(base, artifact, WEBGPU);
        return await proven(candidate, await start(base, artifact, { ...WEBGPU, device: "wasm" }));
      }
    } catch (error) {
      console.warn("WebGPU fails, WebAssembly is used:", error);
    }
  }
  return start(base, artifact, WASM);
}

/**
 * @param {URL} base
 * @param {Artifact} artifact
 * @param {Build} build
 * @returns {Promise<Session>}
 */
async function start(base, artifact, { device, module, wasm }) {
  const folder = new URL(FOLDER, base);
  const ort = await importModule(new URL(module, folder));
  ort.env.logLevel = "error";
  // More threads need shared memory, which a page gets only with special headers.
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = {
    mjs: new URL(`${wasm}.mjs`, folder).href,
    wasm: new URL(`${wasm}.wasm`, folder).href,
  };
  const executionProviders = device === "webgpu" ? ["webgpu", "wasm"] : ["wasm"];
  const externalData = [...artifact.beside].map(([path, data]) => ({ path, data }));
  const options = { executionProviders, logSeverityLevel: 3, externalData };
  const session = await turns.take(() => ort.InferenceSession.create(artifact.main, options));
  return {
    engine: `onnxruntime-web ${ort.env.versions.web}`,
    device,
    batches: true,
    run: (feeds) => turns.take(() => run(ort, session, feeds)),
    close: () => turns.take(() => session.release()),
  };
}

/**
 * @param {any} ort
 * @param {any} session
 * @param {ReadonlyMap<string, Batch>} feeds
 * @returns {Promise<Map<string, Batch>>}
 */
async function run(ort, session, feeds) {
  const given = [...feeds].map(([name, { data, shape }]) => {
    const dtype = data instanceof Int32Array ? "int32" : "float32";
    return [name, new ort.Tensor(dtype, data, shape)];
  });
  const found = await session.run(Object.fromEntries(given));
  return new Map(
    Object.entries(found).map(([name, { data, dims }]) => [name, { data, shape: dims }]),
  );
}
