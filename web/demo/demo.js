/** The demo page: files in, search as you type, what it took. */
import * as peer from "./peer.js";

const $ = (id) => document.getElementById(id);
const worker = new Worker("./worker.js", { type: "module" });
const figures = new Map();
let texts = [];
let number = 0;
let compares = false;
let refused = []; // of the files that came last, until one types on

const SAMPLE = `Passports are renewed at the town hall. Bring the old one and two photographs.

Bread needs flour, water, salt and time. The dough rests overnight.

The last train to the coast leaves at ten in the evening, and the first at five in the morning.

Water the tomatoes early in the day, and never on their leaves.

A backup that was never restored is a hope, not a backup.`;

worker.onmessage = ({ data }) => {
  if (data.error) return tell(data.error);
  if (data.ready !== undefined) {
    figure("Model ready", `${data.ready.toFixed(0)} ms`);
    figure("Vocabulary", data.tokens.toLocaleString());
    figure("WebAssembly memory", megabytes(data.memory));
    $("query").disabled = false;
    add([new File([SAMPLE], "sample.txt")]);
  } else if (data.added) added(data.added);
  else if (data.number === number) show(data);
};
worker.onerror = () => tell("The worker did not start: serve this folder over http, and reload.");

$("files").addEventListener("change", (event) => add([...event.target.files]));
$("query").addEventListener("input", () => {
  refused = [];
  ask();
});
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
for (const type of ["dragover", "dragleave", "drop"]) {
  addEventListener(type, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", type === "dragover");
    if (type === "drop") add([...event.dataTransfer.files]);
  });
}

function add(files) {
  if (files.length > 0) worker.postMessage({ files });
}

function added({ passages, bytes, spent, memory, ...given }) {
  ({ texts, refused } = given);
  figure("Passages", passages.toLocaleString());
  if (spent > 0) figure("Embedded and indexed", `${megabytes(bytes)} in ${spent.toFixed(1)} ms`);
  figure("WebAssembly memory", megabytes(memory));
  if (passages === 0) say("No text in these files.");
  peer.isAvailable().then((there) => ($("compare").hidden = !there || compares));
  ask();
}

function ask() {
  const query = $("query").value;
  ++number;
  if (query.trim() === "") {
    if (texts.length > 0) say("Type a question.");
    return $("results").replaceChildren();
  }
  worker.postMessage({ query, number });
}

function show({ results, spent }) {
  figure("Query, encoded and searched", `${spent.toFixed(2)} ms`);
  say(results.length === 0 ? "Nothing near." : `${results.length} passage${results.length === 1 ? "" : "s"}`);
  $("results").replaceChildren(...results.map((hit) => item(hit, marked(hit))));
  if (compares) showPeer();
}

async function showPeer() {
  const [asked, begin] = [number, performance.now()];
  const hits = await peer.search(texts, $("query").value, 10);
  if (asked !== number) return;
  $("peer-told").textContent = `query in ${(performance.now() - begin).toFixed(0)} ms`;
  $("peer-results").replaceChildren(...hits.map((hit) => item(hit, [hit.text])));
}

$("compare").addEventListener("click", async () => {
  $("compare").hidden = true;
  $("peer").hidden = $("ours").hidden = false;
  const seconds = (begin) => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
  try {
    let begin = performance.now();
    $("peer-told").textContent = "Loading the model…";
    await peer.load();
    figure("all-MiniLM-L6-v2, ready", seconds(begin));
    begin = performance.now();
    await peer.embedAll(texts, (done) => ($("peer-told").textContent = `${done} of ${texts.length} passages embedded`));
    figure("all-MiniLM-L6-v2, embedded", seconds(begin));
  } catch (error) {
    $("peer-told").textContent = `It did not run: ${error.message}`;
    return;
  }
  compares = true;
  ask();
});

function item({ file, score }, content) {
  const [li, header, p] = ["li", "header", "p"].map((name) => document.createElement(name));
  for (const text of [file ?? "", score.toFixed(3)]) header.append(Object.assign(document.createElement("span"), { textContent: text }));
  p.append(...content);
  li.append(header, p);
  return li;
}

// The text with its words marked by what they earned.
function marked({ text, words }) {
  const parts = [];
  const most = Math.max(...words.map((word) => word[2]), 1e-9);
  let at = 0;
  for (const [begin, end, share] of words) {
    if (begin < at || share < most / 5) continue;
    const mark = document.createElement("mark");
    mark.style.setProperty("--share", (share / most).toFixed(2));
    mark.title = `${share.toFixed(3)} of the score`;
    mark.textContent = text.slice(begin, end);
    parts.push(text.slice(at, begin), mark);
    at = end;
  }
  return [...parts, text.slice(at)];
}

function figure(name, value) {
  figures.set(name, value);
  $("figures").replaceChildren(
    ...[...figures].map(([key, shown]) => {
      const [div, dt, dd] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
      [dt.textContent, dd.textContent] = [key, shown];
      div.append(dt, dd);
      return div;
    }),
  );
}

const megabytes = (bytes) => (bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const say = (text) => tell([...refused, text].join(" "));
const tell = (text) => ($("told").textContent = text);

navigator.serviceWorker?.register("./offline.js").catch(() => {}); // without one the page works online
