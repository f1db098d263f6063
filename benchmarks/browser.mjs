// Loads a served bundle in fresh contexts of Chromium: {"url", "device", "loads", "calls"} gives
// {"requests", "engine", "device", "load_ms", "call_ms"}.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const { chromium } = createRequire(`${process.env.KSPEC_DRIVERS}/`)("playwright-core");
const FLAGS =
  "--no-sandbox --disable-quic --no-first-run --disable-background-networking " +
  "--disable-component-update --disable-sync";
const WEBGPU =
  "--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --enable-features=Vulkan " +
  "--use-vulkan=swiftshader";

/** From the import of the client to the first answer, then single rows. */
async function measure({ device, calls }) {
  const begin = performance.now();
  const { description, load } = await import("/index.js");
  const model = await load("/", { device });
  const row = Object.fromEntries(
    description.inputs.map(({ name, shape }) => {
      const size = shape.slice(1).reduce((product, each) => product * each, 1);
      return [name, Float32Array.from({ length: size }, (_, index) => index % 5)];
    }),
  );
  await model.predict(row);
  const loaded = performance.now() - begin;
  const times = [];
  for (let call = 0; call < calls; call += 1) {
    const from = performance.now();
    await model.predict(row);
    times.push(performance.now() - from);
  }
  return { engine: model.engine, device: model.device, load_ms: loaded, call_ms: times };
}

const { url, device, loads, calls } = JSON.parse(await text(process.stdin));
const flags = `${FLAGS} ${device === "webgpu" ? WEBGPU : "--disable-gpu"}`.split(" ");
const browser = await chromium.launch({ executablePath: process.env.KSPEC_CHROMIUM, args: flags });
const found = { requests: [], load_ms: [], call_ms: [] };
for (let index = 0; index < loads; index += 1) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}demo/icon.svg`);
  await page.goto(`${url}package.json`);
  const requests = [];
  page.on("request", (request) => requests.push(request.url().slice(url.length)));
  const { engine, device: ran, load_ms, call_ms } = await page.evaluate(measure, { device, calls });
  Object.assign(found, { engine, device: ran, requests });
  found.load_ms.push(load_ms);
  found.call_ms.push(...call_ms);
  await context.close();
}
await browser.close();
console.log(JSON.stringify(found));
