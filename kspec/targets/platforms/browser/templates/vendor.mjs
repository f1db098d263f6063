// Copies the runtime's files from node_modules/ to vendor/, so that pages load local files only.
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const { files, imports } = JSON.parse(await readFile(join(root, "package.json"), "utf8")).vendor;

/** The path of an installed file of a package. */
function installed(file) {
  const folders = createRequire(import.meta.url).resolve.paths(file) ?? [];
  const found = folders.map((folder) => join(folder, file)).find(existsSync);
  if (!found) {
    throw new Error(`${file} is missing: run npm ci`);
  }
  return found;
}

/** The code of a module, each name of a package in its imports replaced by the vendored file. */
function withLocalImports(code, file) {
  return Object.entries(imports).reduce((text, [name, target]) => {
    const path = relative(dirname(file), target).replaceAll("\\", "/");
    return text.replaceAll(`from "${name}"`, `from "${path}"`);
  }, code);
}

await rm(join(root, "vendor"), { recursive: true, force: true });
for (const file of files) {
  const [from, to] = [installed(file), join(root, "vendor", file)];
  await mkdir(dirname(to), { recursive: true });
  if (/\.m?js$/.test(file)) {
    await writeFile(to, withLocalImports(await readFile(from, "utf8"), file));
  } else {
    await copyFile(from, to);
  }
}
