// @ts-check
import { description, load } from "../index.js";
import { readAbout, readGolden, rowOf } from "../lib/golden.js";
import { showAnswers } from "./answers.js";
import { controlOf } from "./controls.js";
import { byId } from "./elements.js";
import { prove } from "./proof.js";

/**
 * @import { Device } from "../lib/types.js"
 * @import { Model } from "../index.js"
 */

const BASE = new URL("../", import.meta.url);

class Demo {
  controls = description.inputs.map((input) => controlOf(input, () => this.changed()));
  /** @type {Model | null} */
  #model = null;
  /** @type {Awaited<ReturnType<typeof examples>> | null} */
  #examples = null;
  #example = 0;
  #asked = 0;

  /** @param {Device} device */
  async start(device) {
    byId("answers").ariaBusy = "true";
    byId("device").disabled = true;
    try {
      await this.#model?.close();
      this.#model = await load(BASE, { device });
      byId("device").value = this.#model.device;
      this.#examples ??= await examples();
      await this.step(0);
      await prove(BASE, device);
    } catch (error) {
      byId("trouble").hidden = false;
      byId("trouble").textContent = message(error);
      Object.assign(byId("verdict"), { textContent: "fail", className: "verdict bad" });
    }
    byId("device").disabled = false;
    document.documentElement.dataset.state = "ready";
  }

  /** @param {number} by */
  async step(by) {
    if (this.#examples === null) {
      return;
    }
    const { rows, row } = this.#examples;
    this.#example = (this.#example + by + rows) % rows;
    byId("example").textContent = `Example ${this.#example + 1} of ${rows}`;
    byId("previous").disabled = byId("next").disabled = rows < 2;
    const { inputs, truth } = row(this.#example);
    this.controls.forEach((control, index) => control.show(inputs[index]));
    byId("truth").textContent = truth;
    await this.ask();
  }

  /** Deselects the example after an input has changed. */
  changed() {
    byId("example").textContent = "Examples";
    byId("truth").textContent = "";
    void this.ask();
  }

  /** Ask the model; the answer to an outdated question is not shown. */
  async ask() {
    this.#asked += 1;
    const asked = this.#asked;
    await new Promise(requestAnimationFrame);
    if (asked !== this.#asked || this.#model === null) {
      return;
    }
    try {
      const given = description.inputs.map(({ name }, index) => [
        name,
        this.controls[index].value(),
      ]);
      const begin = performance.now();
      const answers = await this.#model.predict(Object.fromEntries(given));
      const time = performance.now() - begin;
      if (asked === this.#asked) {
        show(answers, `${time.toFixed(1)} ms`);
      }
    } catch (error) {
      refuse(message(error));
    }
  }
}

/**
 * @param {object} answers
 * @param {string} latency
 */
function show(answers, latency) {
  byId("refusal").hidden = true;
  byId("latency").textContent = latency;
  byId("answers").replaceChildren(...showAnswers(answers));
  byId("answers").ariaBusy = "false";
}

/** @param {string} reason */
function refuse(reason) {
  byId("refusal").hidden = false;
  byId("refusal").textContent = reason;
}

/** The golden rows as examples, with the answers of the trained model. */
async function examples() {
  const about = await readAbout(BASE);
  const golden = await readGolden(BASE, about);
  const decided = description.outputs.filter(({ name }) => golden.has(`decision/${name}`));
  return {
    rows: about.golden.rows,
    /** @param {number} index */
    row(index) {
      const labels = decided.map(({ name }) => {
        const bytes = Uint8Array.from(rowOf(golden, `decision/${name}`, index).data);
        return new TextDecoder().decode(bytes).replace(/\0+$/, "");
      });
      const inputs = description.inputs.map(({ name }) => {
        return /** @type {any} */ (rowOf(golden, `input/${name}`, index));
      });
      return { inputs, truth: labels.length ? `The trained model said: ${labels.join(", ")}` : "" };
    },
  };
}

/** @param {unknown} error */
function message(error) {
  return error instanceof Error ? error.message : String(error);
}

const demo = new Demo();
document.title = `${description.name} ${description.version}`;
byId("name").textContent = description.name;
byId("version").textContent = description.version;
byId("about").textContent = description.about;
byId("inputs").append(...demo.controls.map((control) => control.element));
byId("inputs").addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
byId("previous").addEventListener("click", () => demo.step(-1));
byId("next").addEventListener("click", () => demo.step(1));
const device = byId("device");
device.value = new URL(location.href).searchParams.get("device") === "webgpu" ? "webgpu" : "wasm";
device.addEventListener("change", () => demo.start(device.value));
await demo.start(device.value);
