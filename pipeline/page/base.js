/* What all views share: the data of the page, elements, links, inputs and numbers.

   A problem's page.js calls `registerView`, `registerDrawing` and `registerRunner`. */

const DATA = JSON.parse(document.getElementById("data").textContent);

/* --- Data ------------------------------------------------------------------------------------ */

/** Return the bytes of a blob, which is a zlib stream with 7 bits in each character. */
async function unpack(name) {
  const text = document.getElementById(name).textContent;
  const packed = new Uint8Array((7 * text.length) >> 3);
  for (let i = 0, at = 0, bits = 0; i < text.length; i++) {
    bits = (bits << 7) | (text.charCodeAt(i) & 127);
    if (i % 8) packed[at++] = bits >> (7 - (i % 8));
  }
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Return a function that is called once for each argument; later calls get the same result. */
function memoize(compute) {
  const known = new Map();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key);
  };
}

/** The JSON value of a blob. */
const loadJson = memoize(async (name) => JSON.parse(new TextDecoder().decode(await unpack(name))));

/** The learning curves of a network, or undefined. */
const loadCurves = async (network) =>
  (await loadJson(`curves:${network.split("/")[0]}`))[network];

/** The weights of a network: a Map from sequences seen to {name: {data, shape}}. */
const loadWeights = memoize(async (network) => {
  const { steps, weights } = DATA.networks[network];
  const bytes = await unpack(`weights:${network}`);
  const count = bytes.length / 4;
  const ordered = new Uint8Array(bytes.length);
  for (let place = 0; place < 4; place++) {
    for (let i = 0; i < count; i++) ordered[4 * i + place] = bytes[place * count + i];
  }
  const all = new Float32Array(ordered.buffer);
  let start = 0;
  return new Map(steps.map((step) => {
    const byName = {};
    for (const [name, shape] of Object.entries(weights)) {
      const size = shape.reduce((product, length) => product * length, 1);
      byName[name] = { data: all.subarray(start, start + size), shape };
      start += size;
    }
    return [step, byName];
  }));
});

/** The names of a problem's networks that the page can run. */
function playableNetworks(problem) {
  return Object.keys(DATA.networks)
    .filter((name) => DATA.networks[name].weights && problemOf(name) === problem)
    .sort((a, b) => DATA.networks[a].rank - DATA.networks[b].rank);
}

/** The problem of a network. */
const problemOf = (network) =>
  DATA.experiments.find((each) => each.name === network.split("/")[0]).problem;

/** The question of a network's experiment. */
function questionOf(network) {
  return DATA.experiments.find((each) => each.name === network.split("/")[0])?.question ?? "";
}

/* --- Views ----------------------------------------------------------------------------------- */

const VIEWS = [];
const DRAWINGS = {};
const RUNNERS = {};

/** Add a view: {id, title, available(), show(root, path, params)}; `show` may be async. A view in
    which networks of a `problem` run has `links(networks)`: pairs of a text, or the name of one of
    the networks, and a link. */
function registerView(view) {
  VIEWS.push(view);
}

/** Set how the drawings of a problem are shown: a function from one of them to an element. */
function registerDrawing(problem, show) {
  DRAWINGS[problem] = show;
}

/** Set how a problem's networks are run: `predict(settings, weights, input)` returns outputs, and
    `sample(settings, weights, options)` what a network makes by itself. */
function registerRunner(problem, runner) {
  RUNNERS[problem] = runner;
}

/** A link to a view: `#draw/star-tokens?seed=5`. */
function linkTo(view, path = "", params = {}) {
  const query = new URLSearchParams(
    Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== ""),
  ).toString().replaceAll("%2C", ",");
  return `#${view}${path ? `/${path}` : ""}${query ? `?${query}` : ""}`;
}

let linkTimer = 0;

/** Make the address of the page the link of what it shows, soon: browsers allow few changes a
    second. Not if another link has been followed by then. */
function setLink(view, path, params) {
  clearTimeout(linkTimer);
  const { hash } = location;
  linkTimer = setTimeout(() => {
    if (location.hash === hash) history.replaceState(null, "", linkTo(view, path, params));
  }, 300);
}

/** Split the address into the id of a view, a path and parameters. */
function readLink() {
  const [where, ...query] = location.hash.slice(1).split("?");
  const [view, ...path] = decodeSafely(where).split("/");
  return { view, path: path.join("/"), params: Object.fromEntries(new URLSearchParams(query.join("?"))) };
}

function decodeSafely(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The name of a network in links: with dashes for slashes. */
const inLink = (name) => name.replaceAll("/", "-");

/** The name that a link means, if it is one of these. */
const nameOfLink = (text, names) => names.find((name) => name === text || inLink(name) === text);

/** What a link chooses by name, or a default, which a line then says if the name is unknown. */
function choiceOr(text, names, otherwise, what) {
  const chosen = nameOfLink(text, names);
  if (text && chosen === undefined) notice(`${quote(text)} is no ${what}; this is ${otherwise || "none"}.`);
  return chosen ?? otherwise;
}

/** The network that a link means; else the first. */
const networkOfLink = (path, names) => choiceOr(path, names, names[0], "network that this page can run");

/** Say in a line above the view what of its link cannot be shown. */
function notice(text) {
  document.getElementById("main").prepend(el("p", { class: "notice", role: "status" }, text));
}

/** Things to stop when another view is shown. */
const cleanups = [];

/** Call a function of time before each frame, until the view changes or it returns false. */
function animate(frame) {
  let id = requestAnimationFrame(function next(time) {
    if (frame(time) !== false) id = requestAnimationFrame(next);
  });
  const stop = () => cancelAnimationFrame(id);
  cleanups.push(stop);
  return stop;
}

/** Draw into an element with its width in pixels, now and whenever the width changes. */
function responsive(element, draw) {
  let width = 0;
  const redraw = () => element.replaceChildren(draw(width));
  const observer = new ResizeObserver(() => {
    const now = Math.floor(element.clientWidth);
    if (now && now !== width) {
      width = now;
      redraw();
    }
  });
  observer.observe(element);
  cleanups.push(() => observer.disconnect());
  return () => width && redraw();
}

/* --- Elements -------------------------------------------------------------------------------- */

const SVG_TAGS = new Set(
  ["svg", "g", "path", "line", "circle", "rect", "text", "title", "polyline", "polygon", "defs", "marker"],
);

/** Make an HTML or SVG element. Attributes `on…` are listeners; undefined ones are left out. */
function el(tag, attributes = {}, ...children) {
  const node = SVG_TAGS.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return node;
}

let lastId = 0;

/** A label above an input, an output or text beside it, and a place for what is wrong with it. */
function field(label, input, { output, hint } = {}) {
  input.id ||= `input-${++lastId}`;
  const error = el("p", { class: "error", id: `${input.id}-error`, role: "alert" });
  input.setAttribute("aria-describedby", error.id);
  const head = el("label", { for: input.id }, label, output ? el("span", {}, output) : null);
  const node = el("div", { class: "field" }, head, input, hint ? el("p", { class: "hint" }, hint) : null, error);
  node.setError = (text) => {
    error.textContent = text ?? "";
    input.setAttribute("aria-invalid", text ? "true" : "false");
  };
  return node;
}

/** A menu of networks, with a group for each experiment that has several. */
function networkMenu(names, selected, onchange, { none } = {}) {
  const groups = new Map();
  for (const name of names) {
    const experiment = name.split("/")[0];
    groups.set(experiment, [...(groups.get(experiment) ?? []), name]);
  }
  const option = (name) => el("option", { value: name }, name);
  const select = el(
    "select",
    { onchange: () => onchange(select.value) },
    none ? el("option", { value: "" }, none) : null,
    [...groups].map(([experiment, members]) =>
      members.length > 1 || members[0] !== experiment
        ? el("optgroup", { label: experiment }, members.map(option))
        : option(members[0])),
  );
  select.value = selected ?? "";
  return select;
}

/** A field for a number. `read` turns its text into a value or throws an Error with a sentence. */
function numberField(label, value, read, onchange, options = {}) {
  const input = el("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", value: String(value), size: 6 });
  const node = field(label, input, options);
  input.addEventListener("input", () => {
    try {
      const parsed = read(input.value);
      node.setError("");
      onchange(parsed);
    } catch (error) {
      node.setError(error.message);
    }
  });
  node.input = input;
  return node;
}

/** Parse a temperature. */
function readTemperature(text) {
  const value = Number(String(text).replace(",", "."));
  if (String(text).trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new Error(`The temperature must be a number of at least 0, got ${quote(text)}.`);
  }
  return value;
}

/** Parse a seed of random numbers. */
function readSeed(text) {
  if (!/^\s*\d{1,10}\s*$/.test(text) || Number(text) > 0xffffffff) {
    throw new Error(`The seed must be an integer from 0 to 4294967295, got ${quote(text)}.`);
  }
  return Number(text);
}

/** The value of a link's parameter, or a default if it is missing or, with a line that says so,
    cannot be read. */
function paramOr(text, read, otherwise) {
  try {
    return text === undefined ? otherwise : read(text);
  } catch (error) {
    notice(`${error.message} This is the default.`);
    return otherwise;
  }
}

/** Text as a message shows it: in quotes, and shortened. */
function quote(text) {
  const shown = String(text);
  return shown.length > 24 ? `“${shown.slice(0, 24)}…”` : shown ? `“${shown}”` : "nothing";
}

/** A range input whose position is an index into a list. */
function slider(count, value, describe, oninput) {
  const input = el("input", { type: "range", min: 0, max: Math.max(count - 1, 0), step: 1, value });
  const update = () => {
    input.setAttribute("aria-valuetext", describe(Number(input.value)));
    input.style.setProperty("--filled", `${(100 * input.value) / Math.max(count - 1, 1)}%`);
  };
  input.addEventListener("input", () => {
    update();
    oninput(Number(input.value));
  });
  input.set = (position) => {
    input.value = position;
    update();
  };
  update();
  return input;
}

/** A command of a terminal, with a button that copies it. */
function command(text) {
  const status = el("span", { role: "status", class: "visually-hidden" });
  const button = el("button", { type: "button", class: "quiet", onclick: copy }, "Copy");
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      status.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }
  const code = el("code", {}, text);
  return el("div", { class: "command" }, code, button, status);
}

/** Paragraphs of a text of report.yaml, in which code is between backquotes and *words* stand out. */
function paragraphs(text) {
  const emphasize = (words) => words.split(/\*(\S(?:[^*]*\S)?)\*/).map((piece, i) => (i % 2 ? el("em", {}, piece) : piece));
  return text.split("\n").filter(Boolean).map((part) =>
    el("p", {}, part.split("`").map((piece, i) => (i % 2 ? el("code", {}, piece) : emphasize(piece))).flat()));
}

/** The line under a view that names the command with the same result. */
function reproduce(intro) {
  const place = el("div", { class: "place" });
  const node = el("aside", { class: "reproduce", "aria-label": "Command" }, el("p", {}, intro), place);
  node.set = (text, why = intro) => {
    node.firstChild.textContent = why;
    if (place.textContent.replace(/Copy$/, "") !== text) place.replaceChildren(command(text));
  };
  return node;
}

/** A list of terms and values, which `set` changes. */
function numbers() {
  const node = el("dl", { class: "numbers" });
  node.set = (entries) => {
    const shown = entries.filter(Boolean);
    if (node.children.length !== shown.length) {
      node.replaceChildren(...shown.map(() => el("div", {}, el("dt"), el("dd"))));
    }
    shown.forEach(([term, value, title], index) => {
      const [dt, dd] = node.children[index].children;
      dt.textContent = term;
      dd.textContent = value;
      node.children[index].title = title ?? "";
    });
  };
  return node;
}

/* --- Numbers --------------------------------------------------------------------------------- */

/** A number as text: few significant digits, and none that say nothing. */
function formatNumber(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) {
    const [mantissa, exponent] = value.toExponential(1).split("e");
    return `${mantissa.replace("-", "−")}×10${superscript(Number(exponent))}`;
  }
  const text = size >= 1000 || Number.isInteger(value)
    ? Math.round(value).toLocaleString("en-US")
    : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−");
}

function superscript(exponent) {
  return String(exponent).replace(/[-\d]/g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
}

/** A share as percent. */
function formatPercent(share) {
  const percent = 100 * share;
  if (percent === 0 || percent === 100) return `${percent}%`;
  if (percent > 99.95) return "> 99.9%";
  if (percent < 0.05) return "< 0.1%";
  return `${percent.toFixed(percent < 10 || percent > 99 ? 1 : 0)}%`;
}

/** A name of params.yaml in words: `model.consistency` becomes `consistency weight`. */
function words(name) {
  const key = name.split(".").pop();
  return DATA.words[key] ?? key.replaceAll("_", " ");
}
