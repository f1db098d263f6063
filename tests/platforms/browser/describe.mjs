// The constants of clients as JavaScript has them: {"modules": [path, …]}.
import { text } from "node:stream/consumers";

const { modules } = JSON.parse(await text(process.stdin));
const found = [];
for (const path of modules) {
  found.push((await import(path)).description);
}
console.log(JSON.stringify(found));
