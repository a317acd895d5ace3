// The golden vectors of testdata/, checked bit for bit; the same code runs in Node and in a browser's page.

const DTYPES = ["float32", "float16", "int8", "int4", "int2", "int1", "counting"];
const PREFIX = 7;

/** Compares every answer; `read(name)` gives a file of testdata as bytes. Returns what differs and how much was compared. */
export async function compareGolden(load, read, options) {
  const differing = [];
  let compared = 0;
  const expect = (what, got, wanted) => {
    ++compared;
    if (got !== wanted) differing.push(`${what}: ${got} is not ${wanted}`.slice(0, 400));
  };
  const lines = jsonLines(await read("golden.jsonl"));
  for (const dtype of DTYPES) {
    const model = await load(await read(`golden-${dtype}.pumice`), options);
    const wanted = lines.map((line) => line.vectors[dtype]);
    lines.forEach(({ text, ids }, i) => {
      const what = `${dtype} ${JSON.stringify(text)}`;
      expect(`${what} ids`, JSON.stringify([...model.tokenize(text)]), JSON.stringify(ids));
      expect(`${what} float32`, hex(model.encode(text)), wanted[i].float32);
      expect(`${what} prefix`, hex(model.encode(text, { dim: PREFIX })), wanted[i].float32_prefix);
      expect(`${what} int8`, hex(model.encode(text, { dtype: "int8" })), wanted[i].int8);
      expect(`${what} binary`, hex(model.encode(text, { dtype: "binary" })), wanted[i].binary);
    });
    const texts = lines.map((line) => line.text);
    expect(`${dtype} all at once`, hex(model.encode(texts)), wanted.map((one) => one.float32).join(""));
  }
  const models = new Map();
  for (const line of jsonLines(await read("golden-explain.jsonl"))) {
    if (!models.has(line.model)) models.set(line.model, await load(await read(`golden-${line.model}.pumice`), options));
    const model = models.get(line.model);
    const found = model.explain(line.query, line.document);
    const what = `${line.model} ${JSON.stringify(line.document)}`;
    expect(`${what} ids`, JSON.stringify([...found.document.ids]), JSON.stringify(line.ids));
    const [spans, units] = [found.document.spans, unitsOf(line.document)];
    expect(`${what} spans`, JSON.stringify(spans), JSON.stringify(line.spans.map((span) => span.map((at) => units[at]))));
    expect(`${what} token vectors`, hex(found.document.vectors), line.vectors);
    // Python adds the products up in the order of its BLAS, in float64: far closer than a float32's last bit.
    const far = [found.score, ...found.documentShares].findIndex((x, i) => !(Math.abs(x - [line.score, ...line.shares][i]) < 1e-12));
    expect(`${what} shares`, far, -1);
    expect(`${what} how many`, found.documentShares.length, line.shares.length);
  }
  return { differing, compared };
}

function jsonLines(bytes) {
  return new TextDecoder().decode(bytes).trim().split("\n").map((line) => JSON.parse(line));
}

function hex(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// UTF-16 units before each character.
function unitsOf(text) {
  const units = [0];
  for (const character of text) units.push(units.at(-1) + character.length);
  return units;
}
