// What is done on an open page; each gives back what was seen.
import { readFile } from "node:fs/promises";

const said = (page) => page.locator("#truth").textContent();
const labels = (page) => page.locator("#answers .label strong").allTextContents();

/** The answer once it is another than the one before, or a moment later. */
async function settled(page, act) {
  await act();
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 250)));
  return labels(page);
}

/** Without a network: examples, each beside what the trained model said. */
async function examples(page, context) {
  await context.setOffline(true);
  const found = [];
  for (let index = 0; index < 4; index += 1) {
    const answer = await settled(page, () => page.click("#next"));
    found.push({ answer: answer.join(", "), truth: await said(page) });
  }
  await context.setOffline(false);
  return {
    examples: found,
    verdict: await page.locator("#verdict").textContent(),
    table: await page.locator("#selftest tr").allTextContents(),
    latency: await page.locator("#latency").textContent(),
    unnamed: await page.evaluate(unnamed),
    overflow: await overflow(page),
  };
}

/** Elements that a screen reader would find without a name. */
function unnamed() {
  const named = (each) => each.ariaLabel || each.labels?.length || each.textContent.trim();
  const all = document.querySelectorAll("button, input, select, textarea, canvas, progress");
  return [...all].filter((each) => !named(each)).map((each) => each.outerHTML);
}

/** How far the page is wider than a phone. */
async function overflow(page) {
  await page.setViewportSize({ width: 360, height: 740 });
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

/** A three, drawn by hand. */
async function draw(page) {
  await page.getByRole("button", { name: "Clear" }).click();
  const { x, y, width, height } = await page.locator(".stage").boundingBox();
  const at = ([across, down]) => [x + width * across, y + height * down];
  const line = [
    [0.5, 0.1],
    [0.68, 0.2],
    [0.68, 0.35],
    [0.5, 0.47],
    [0.66, 0.55],
    [0.7, 0.72],
    [0.55, 0.88],
    [0.3, 0.85],
  ];
  return settled(page, async () => {
    await page.mouse.move(...at([0.3, 0.15]));
    await page.mouse.down();
    for (const place of line) {
      await page.mouse.move(...at(place), { steps: 4 });
    }
    await page.mouse.up();
  });
}

/** The golden picture in every form that a page may have it in: how far each is from exact. */
async function pictures(page, _context, bundle) {
  const drawn = await draw(page);
  const png = await readFile(`${bundle}/golden-pixels.png`);
  await page.setInputFiles("input[type=file]", {
    name: "golden.png",
    mimeType: "image/png",
    buffer: png,
  });
  const refused = await settled(page, () =>
    page.setInputFiles("input[type=file]", {
      name: "no.jpg",
      mimeType: "image/jpeg",
      buffer: Buffer.from("no"),
    }),
  );
  return {
    drawn,
    refused,
    refusal: await page.locator("#refusal").textContent(),
    errors: await page.evaluate(errors),
  };
}

async function errors() {
  const [{ prepare }, { decode }, { readSafetensors }, { description }] = await Promise.all(
    ["inputs", "pictures", "safetensors"]
      .map((name) => import(`/lib/${name}.js`))
      .concat(import("/model.js")),
  );
  const bytesOf = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
  const golden = readSafetensors(await bytesOf("/golden.safetensors"));
  const png = await bytesOf("/golden-pixels.png");
  const pixels = await decode(png, 1e6);
  const image = new Image();
  image.src = "/golden-pixels.png";
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), {
    width: pixels.width,
    height: pixels.height,
  });
  canvas.getContext("2d").putImageData(new ImageData(pixels.data, pixels.width), 0, 0);
  const forms = {
    bytes: png,
    buffer: png.buffer,
    blob: new Blob([png]),
    file: new File([png], "golden.png"),
    pixels: new ImageData(pixels.data, pixels.width),
    image,
    canvas,
    bitmap: await createImageBitmap(canvas),
    bmp: new Blob([bmpOf(pixels)], { type: "image/bmp" }),
  };
  const found = {};
  for (const [name, given] of Object.entries(forms)) {
    const { data } = (await prepare(description.inputs, { pixels: given })).get("pixels");
    const expected = golden.get("picture/pixels").data;
    found[name] = Math.max(...data.map((value, index) => Math.abs(value - expected[index])));
  }
  return found;

  /** A file without loss that the browser decodes itself: 24 bits a pixel, from the bottom up. */
  function bmpOf({ width, height, data }) {
    const line = Math.ceil((width * 3) / 4) * 4;
    const file = new Uint8Array(54 + line * height);
    const view = new DataView(file.buffer);
    view.setUint16(0, 0x424d);
    [
      [2, file.length],
      [10, 54],
      [14, 40],
      [18, width],
      [22, height],
      [26, 1 | (24 << 16)],
    ].forEach(([place, value]) => view.setUint32(place, value, true));
    for (let row = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1) {
        const [red, green, blue] = data.subarray((row * width + column) * 4);
        file.set([blue, green, red], 54 + (height - 1 - row) * line + column * 3);
      }
    }
    return file;
  }
}

/** Fields of a row: a word is refused, a number answered. */
async function row(page) {
  const field = page.locator("#inputs input").first();
  await settled(page, () => field.fill("much"));
  const refusal = await page.locator("#refusal").textContent();
  const invalid = await field.getAttribute("aria-invalid");
  const answer = await settled(page, () => field.fill("600"));
  return { refusal, invalid, answer, hidden: await page.locator("#refusal").isHidden() };
}

/** Texts of a spec as the page shows them, and what they might have become. */
async function texts(page) {
  await page.waitForTimeout(200);
  return {
    title: await page.locator("#about").textContent(),
    labels: await page.locator(".bars .of").allTextContents(),
    columns: await page.locator("#inputs label > span").allTextContents(),
    elements: await page.evaluate(
      () => document.querySelectorAll("img, iframe, script, style, svg").length,
    ),
    verdict: await page.locator("#verdict").textContent(),
  };
}

export const SCENARIOS = { examples, pictures, row, texts };
