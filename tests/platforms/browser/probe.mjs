// Which of two sessions the probe takes: {"bundle": folder, "cases": [[answer, reference], …]}.
import { text } from "node:stream/consumers";

const { bundle, cases } = JSON.parse(await text(process.stdin));
const { proven } = await import(`${bundle}/lib/probe.js`);
const { description } = await import(`${bundle}/model.js`);
const [{ name }] = description.outputs;
const number = (value) => (value === "NaN" ? Number.NaN : value);

const found = [];
for (const answers of cases) {
  const closed = [];
  const [candidate, reference] = answers.map((value, index) => ({
    run: async () => new Map([[name, { data: Float32Array.of(number(value)), shape: [1, 1] }]]),
    close: async () => closed.push(index),
  }));
  const taken = await proven(candidate, reference);
  found.push({ taken: taken === candidate ? "candidate" : "reference", closed });
}
console.log(JSON.stringify(found));
