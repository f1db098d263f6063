// @ts-check
import { importModule, isNode, readBytes } from "./files.js";
import { hasWebGpu, proven } from "./probe.js";
import { Turns } from "./turns.js";

/** @import { Artifact, Batch, Device, Session } from "./types.js" */

const turns = new Turns();
const PACKAGE = "vendor/@litertjs/core/";

/**
 * @param {URL} base
 * @param {Artifact} artifact
 * @param {Device} device
 * @returns {Promise<Session>}
 */
export async function open(base, artifact, device) {
  const folder = new URL(PACKAGE, base);
  const { version } = JSON.parse(
    new TextDecoder().decode(await readBytes(new URL("package.json", folder))),
  );
  if (isNode) {
    await importModule(new URL("./node.js", `${import.meta.url}`));
  }
  const litert = await importModule(new URL("dist/index.js", folder));
  // The page shares one runtime; loading it twice is an error.
  await (litert.getGlobalLiteRtPromise() ?? litert.loadLiteRt(new URL("wasm/", folder).href));
  const engine = `@litertjs/core ${version}`;
  const wasm = await start(litert, engine, artifact, "wasm");
  if (device === "webgpu") {
    try {
      if (await hasWebGpu()) {
        return await proven(await start(litert, engine, artifact, "webgpu"), wasm);
      }
    } catch (error) {
      console.warn("WebGPU fails, WebAssembly is used:", error);
    }
  }
  return wasm;
}

/**
 * @param {any} litert
 * @param {string} engine
 * @param {Artifact} artifact
 * @param {Device} device
 * @returns {Promise<Session>}
 */
async function start(litert, engine, artifact, device) {
  // By default the GPU computes in half precision, which exceeds the tolerances.
  const options = { accelerator: device, gpuOptions: { precision: "fp32" } };
  const compiled = await turns.take(() => litert.loadAndCompile(artifact.main, options));
  return {
    engine,
    device,
    batches: false,
    run: (feeds) => turns.take(() => run(litert, compiled, feeds)),
    close: () => turns.take(async () => compiled.delete()),
  };
}

/**
 * LiteRT.js does not count references: its tensors must be freed explicitly.
 *
 * @param {any} litert
 * @param {any} compiled
 * @param {ReadonlyMap<string, Batch>} feeds
 * @returns {Promise<Map<string, Batch>>}
 */
async function run(litert, compiled, feeds) {
  const given = [...feeds].map(([name, { data, shape }]) => [name, new litert.Tensor(data, shape)]);
  /** @type {Record<string, any>} */
  let found = {};
  try {
    found = await compiled.run(Object.fromEntries(given));
    const read = Object.entries(found).map(async ([name, tensor]) => {
      const shape = [...tensor.type.layout.dimensions];
      return /** @type {const} */ ([name, { data: await tensor.data(), shape }]);
    });
    return new Map(await Promise.all(read));
  } finally {
    for (const tensor of [...given.map(([, tensor]) => tensor), ...Object.values(found)]) {
      tensor.delete();
    }
  }
}
