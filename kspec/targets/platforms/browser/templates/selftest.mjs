// node selftest.mjs: the self-test under Node.js, through the client that a page uses.
import { selftest, spell } from "./lib/selftest.js";

const verdict = await selftest(new URL("./", import.meta.url));
console.log(spell(verdict));
process.exitCode = verdict.pass ? 0 : 1;
