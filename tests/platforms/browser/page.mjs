// Opens the pages of bundles in Chromium and says, in JSON, what happened there.
// Input: {"pages": [{"bundle": folder, "scenario": name, "device": "wasm"}], "gpu": false}
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { SCENARIOS } from "./scenarios.mjs";

const { chromium } = createRequire(`${process.env.KSPEC_DRIVERS}/`)("playwright-core");
const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
];
const SOFTWARE_GPU = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
];

async function serve(bundle) {
  const server = spawn("node", [`${bundle}/serve.mjs`, "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await new Promise((resolve) =>
    server.stdout.once("data", (data) => resolve(String(data).split("\n"))),
  );
  return { server, url: line };
}

async function open(browser, { bundle, scenario, device = "wasm" }) {
  const { server, url } = await serve(bundle);
  const context = await browser.newContext();
  const page = await context.newPage();
  const report = { requests: [], failed: [], violations: [], errors: [], dialogs: [], lines: [] };
  context.on("request", (request) => report.requests.push(request.url()));
  context.on("requestfailed", (request) => report.failed.push(request.url()));
  context.on("response", (response) => response.ok() || report.failed.push(response.url()));
  page.on("pageerror", (error) => report.errors.push(error.message));
  page.on("dialog", (dialog) => report.dialogs.push(dialog.message()) && dialog.dismiss());
  page.on("console", (message) => {
    const said = message.text();
    if (said.startsWith("KSPEC-SELFTEST ")) {
      report.lines.push(said);
    } else if (said.includes("Content Security Policy") || said.startsWith("violation ")) {
      report.violations.push(said);
    }
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`violation ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(`${url}?device=${device}`);
  await page.waitForSelector("html[data-state=ready]", { timeout: 120_000 });
  report.found = await SCENARIOS[scenario](page, context, bundle);
  report.outside = report.requests.filter((each) => !each.startsWith(url));
  await context.close();
  server.kill();
  return report;
}

const { pages, gpu } = JSON.parse(await text(process.stdin));
const browser = await chromium.launch({
  executablePath: process.env.KSPEC_CHROMIUM,
  args: [...FLAGS, ...(gpu ? SOFTWARE_GPU : ["--disable-gpu"])],
});
const reports = [];
for (const page of pages) {
  reports.push(await open(browser, page));
}
await browser.close();
console.log(JSON.stringify(reports));
