// The functions of a web worker that LiteRT.js calls, for Node.js.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";

/** @param {string} url */
function importScripts(url) {
  const filename = fileURLToPath(url);
  const asked = {
    __filename: filename,
    __dirname: dirname(filename),
    require: createRequire(filename),
  };
  Object.assign(globalThis, asked);
  runInThisContext(readFileSync(filename, "utf8"), { filename });
}

Object.assign(globalThis, { importScripts, self: globalThis });
