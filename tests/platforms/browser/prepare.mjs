// What inputs become: {"bundle": folder, "cases": [{"input": description, "base64": picture} or
// {"input": …, "value": …}]} gives for each {"data": values} or {"error": text}.
import { text } from "node:stream/consumers";

const { bundle, cases } = JSON.parse(await text(process.stdin));
const { prepare } = await import(`${bundle}/lib/inputs.js`);

const found = [];
for (const { input, base64, value } of cases) {
  const given = base64 === undefined ? value : new Uint8Array(Buffer.from(base64, "base64"));
  try {
    const { data } = (await prepare([input], { [input.name]: given })).get(input.name);
    found.push({ data: [...data] });
  } catch (error) {
    found.push({ error: `${error.name}: ${error.message}` });
  }
}
console.log(JSON.stringify(found));
