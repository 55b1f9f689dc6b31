/* Echoing integers: the networks, and the view "Echo". The networks are those of
   pipeline/problems/echo/model/architectures/. */

const MAX_CARDS = 4;
const ARCHITECTURES = {
  "lstm": "An LSTM reads an integer and outputs one at each step.",
  "memoryless": "A dense layer sees one integer at a time and has no memory.",
  "vector": "An LSTM reads the window; all integers are output at once from its last state.",
  "features": "An LSTM sees the whole window as the features of a single step.",
  "attention": "For each position of the echo, a query attends to what an LSTM read.",
  "encoder-decoder": "One LSTM reads the window into a vector; a second one writes the echo from it.",
};

/* --- Networks -------------------------------------------------------------------------------- */

/** Run a network on a window of integers. Returns outputs, a row for each position of the echo;
    `states`, the LSTMs' outputs by step; and `attention`, a row of weights for each position. */
function runEcho(settings, weights, window) {
  const encode = (integer) => (settings.scaled ? [integer / (settings.classes - 1)] : integer);
  const finish = (logits) => activate(logits, settings.activation);
  const embed = (integer) => (settings.embedding && integer !== null ? dense(integer, weights, "embedding") : integer);
  const read = (name, inputs) => {
    let state = zeroState(weights, name);
    const states = inputs.map((input) => (state = lstmStep(input, state, weights, name)));
    return { states, last: state };
  };
  const hidden = (states) => states.map((state) => state.hidden);
  const count = Math.min(settings.echo, window.length);
  switch (settings.architecture) {
    case "lstm": {
      const { states } = read("lstm", window.map(encode));
      return {
        outputs: states.slice(0, count).map((state) => finish(dense(state.hidden, weights, "integers"))),
        states: [{ name: "LSTM", steps: window.map((integer, t) => `reads ${integer} at step ${t + 1}`), rows: hidden(states) }],
      };
    }
    case "memoryless": {
      const rows = window.map((integer) => dense(encode(integer), weights, "hidden").map(Math.tanh));
      return {
        outputs: rows.slice(0, count).map((row) => finish(dense(row, weights, "integers"))),
        states: [{ name: "dense layer", steps: window.map((integer) => `sees ${integer}`), rows }],
      };
    }
    case "vector":
    case "features": {
      const size = settings.scaled ? 1 : settings.features;
      const inputs = settings.architecture === "vector" ? window.map(encode) : [flatten(window, settings, size)];
      const { states, last } = read("lstm", inputs);
      const all = dense(last.hidden, weights, "echo");
      const width = all.length / settings.echo;
      return {
        outputs: Array.from({ length: count }, (_, e) => finish(all.slice(e * width, (e + 1) * width))),
        states: [{ name: "LSTM", steps: inputs.map((_, t) => (inputs.length > 1 ? `reads ${window[t]}` : "reads the window")), rows: hidden(states) }],
      };
    }
    case "attention":
      return runAttention(settings, weights, window, count, read, embed, finish);
    default:
      return runDecoder(settings, weights, window, count, read, embed, encode, finish);
  }
}

function activate(logits, activation) {
  if (activation === "softmax") return softmax(logits);
  return activation === "sigmoid" ? logits.map(sigmoid) : logits;
}

/** A window as the features of one step. */
function flatten(window, settings, size) {
  const features = new Float64Array(settings.window * size);
  window.forEach((integer, t) => {
    if (settings.scaled) features[t] = integer / (settings.classes - 1);
    else features[t * size + integer] = 1;
  });
  return features;
}

function runAttention(settings, weights, window, count, read, embed, finish) {
  const { states } = read("encoder", window.map(embed));
  const values = states.map((state) => state.hidden);
  let first = 0;
  if (settings.keys === "position") { // as in `with_positions`
    const number = window.reduce((sum, integer, t) => sum + (integer + 1) * (2 * t + 1), 0);
    first = number % (settings.positions - settings.window + 1);
  }
  const { data, shape } = weights["positions/kernel"];
  const row = (position) => data.subarray((first + position) * shape[1], (first + position + 1) * shape[1]);
  const keys = settings.keys === "position" ? window.map((_, t) => row(t)) : values;
  const scale = weights["attention/scale"].data[0];
  const results = Array.from({ length: count }, (_, e) => attend(row(e), values, keys, scale));
  return {
    outputs: results.map(({ context }) => finish(dense(context, weights, "integers"))),
    states: [{ name: "encoder", steps: window.map((integer) => `reads ${integer}`), rows: values }],
    attention: results.map(({ shares }) => [...shares]),
  };
}

function runDecoder(settings, weights, window, count, read, embed, encode, finish) {
  const order = settings.reverse ? [...window].reverse() : window;
  const encoder = read("encoder", order.map((integer) => embed(encode(integer))));
  const encoded = encoder.states.map((state) => state.hidden);
  let state = settings.initialState ? encoder.last : zeroState(weights, "decoder");
  let previous = null; // nothing comes before the first integer
  const [outputs, rows, attention] = [[], [], []];
  for (let e = 0; e < count; e++) {
    const inputs = [];
    if (!settings.initialState) inputs.push(encoder.last.hidden);
    if (settings.teacherForcing) inputs.push(previous === null ? null : embed(previous));
    state = lstmStep(joinInputs(inputs, weights["decoder/kernel"].shape[0]), state, weights, "decoder");
    rows.push(state.hidden);
    let output = state.hidden;
    if (settings.attends) {
      const { shares, context } = attend(state.hidden, encoded, encoded);
      output = Float64Array.from([...state.hidden, ...context]);
      attention.push(settings.reverse ? [...shares].reverse() : [...shares]);
    }
    outputs.push(finish(dense(output, weights, "integers")));
    previous = argmax(outputs.at(-1));
  }
  return {
    outputs,
    states: [
      { name: "encoder", steps: order.map((integer) => `reads ${integer}`), rows: encoded },
      { name: "decoder", steps: rows.map((_, e) => `writes integer ${e + 1}`), rows },
    ],
    attention: settings.attends ? attention : undefined,
  };
}

/** One input of several: vectors, an integer for a one-hot vector, or null for zeros. */
function joinInputs(inputs, size) {
  if (inputs.length === 0) return null;
  if (inputs.length === 1) return inputs[0];
  const joined = new Float64Array(size);
  joined.set(inputs[0]);
  if (typeof inputs[1] === "number") joined[inputs[0].length + inputs[1]] = 1;
  else if (inputs[1]) joined.set(inputs[1], inputs[0].length);
  return joined;
}

registerRunner("echo", {
  /** Outputs for a window of integers. */
  predict: (settings, weights, window) =>
    runEcho(settings, weights, window).outputs.map((row) => [...row]),
});

/* --- Input ----------------------------------------------------------------------------------- */

/** Parse integers from 0 to classes - 1; throws an Error with a sentence. */
function readIntegers(text, classes) {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  if (!parts.length) throw new Error(`Type integers from 0 to ${classes - 1}, with spaces between them.`);
  return parts.map((part, i) => {
    if (!/^-?\d+$/.test(part)) throw new Error(`Integer ${i + 1} must be an integer, got ${quote(part)}.`);
    if (part.length > 18 || Number(part) < 0 || Number(part) >= classes) {
      throw new Error(`Integer ${i + 1} must be from 0 to ${classes - 1}, got ${quote(part)}.`);
    }
    return Number(part);
  });
}

/** What is wrong with a window for a network, or nothing. */
function windowError(window, { window: longest, shortest, classes }) {
  if (window.length < shortest || window.length > longest) {
    const wanted = shortest === longest ? `${longest}` : `${shortest} to ${longest}`;
    return `This network echoes windows of ${wanted} integers, got ${window.length}.`;
  }
  const wrong = window.findIndex((integer) => integer >= classes);
  return wrong < 0 ? null : `This network knows the integers from 0 to ${classes - 1}; integer ${wrong + 1} is ${window[wrong]}.`;
}

/* --- View ------------------------------------------------------------------------------------ */

registerView({
  id: "echo",
  title: "Echo",
  problem: "echo",
  links: (networks) => [["type integers to echo", linkTo("echo", "", { networks: networks.slice(0, MAX_CARDS).map(inLink).join(",") })]],
  available: () => playableNetworks("echo").length > 0,
  async show(root, path, params) {
    const names = playableNetworks("echo");
    const wanted = [...new Set((params.networks ?? path ?? "").split(",").filter(Boolean))];
    const matching = wanted.map((each) => nameOfLink(each, names)).filter(Boolean);
    let chosen = (matching.length ? matching : names.slice(0, 3)).slice(0, MAX_CARDS);
    const missing = wanted.filter((each) => !chosen.includes(nameOfLink(each, names)));
    if (missing.length) notice(`Not shown, because this page can run ${matching.length > MAX_CARDS ? `${MAX_CARDS} networks at a time` : "no such networks"}: ${missing.map(quote).join(", ")}.`);
    const classes = Math.max(...names.map((name) => DATA.networks[name].settings.classes));
    const { window: usual } = DATA.networks[chosen[0]].settings;
    let length = Math.min(usual, 10);
    const sample = (random) => Array.from({ length }, () => Math.floor(random() * DATA.networks[chosen[0]].settings.classes)).join(" ");
    let text = params.integers?.replaceAll(",", " ") ?? sample(randomStream(7, 1));
    let position = 0;
    let calls = 0;

    const input = el("input", { type: "text", class: "integers", inputmode: "numeric", autocomplete: "off", spellcheck: "false", value: text, oninput: () => { text = input.value; update(); } });
    const entry = field("Integers to echo", input, { hint: `From 0 to ${classes - 1}, with spaces between them.` });
    entry.classList.add("wide");
    const shuffle = () => {
      text = sample(Math.random);
      input.value = text;
      update();
    };
    const lengths = numberField("Length", length, (written) => {
      const longest = Math.max(...chosen.map((name) => DATA.networks[name].settings.window));
      if (!/^\s*\d+\s*$/.test(written) || Number(written) < 1 || Number(written) > longest) {
        throw new Error(`The length must be an integer from 1 to ${longest}, the longest window of these networks, got ${quote(written)}.`);
      }
      return Number(written);
    }, (value) => {
      length = value;
      shuffle();
    });
    lengths.input.after(el("button", { type: "button", class: "primary", onclick: shuffle }, "Random window"));
    lengths.classList.add("with-button");
    const change = el("button", { type: "button", onclick: () => {
      const parts = text.split(/[\s,;]+/).filter(Boolean);
      const last = Number(parts.at(-1));
      if (!Number.isInteger(last)) return;
      parts[parts.length - 1] = (last + 1) % DATA.networks[chosen[0]].settings.classes;
      text = parts.join(" ");
      input.value = text;
      update();
    } }, "Change the last one");
    const add = field("Add a network", networkMenu(names, "", (name) => {
      add.querySelector("select").value = "";
      if (!name || chosen.includes(name)) return;
      chosen = [...chosen, name];
      build();
    }, { none: `of ${names.length}…` }), { hint: `At most ${MAX_CARDS} side by side.` });
    root.append(
      el("p", { class: "kicker" }, "Networks that repeat what they read"),
      el("h1", {}, "Type integers. Which network can still say them back?"),
      el("div", { class: "bar" }, entry, lengths, el("div", { class: "buttons" }, change), add),
    );
    const cards = el("div", { class: "cards" });
    const line = reproduce("The same echo in a terminal:");
    root.append(cards, line);
    let shown = [];

    function build() {
      line.set(`pipeline echo ${chosen[0]}`);
      const menu = add.querySelector("select");
      menu.disabled = chosen.length === MAX_CARDS;
      for (const option of menu.querySelectorAll("option")) option.disabled = chosen.includes(option.value);
      shown = chosen.map((name) => makeCard(name));
      cards.replaceChildren(...shown.map((card) => card.node));
      update();
    }

    function makeCard(name) {
      const { settings, replicas, metrics: { exact_accuracy: accuracy }, own } = DATA.networks[name];
      const parts = Object.fromEntries(["echo", "top", "attention", "states"].map((key) => [key, el("div", { class: key })]));
      const verdict = el("p", { class: "verdict", role: "status" });
      const remove = el("button", { type: "button", class: "quiet", "aria-label": `Remove ${name}`, onclick: () => {
        chosen = chosen.filter((other) => other !== name);
        if (!chosen.length) chosen = names.slice(0, 1);
        build();
      } }, "✕");
      const known = own?.exact_accuracy;
      const echoes = !accuracy || settings.first ? ""
        : replicas === 1 || known === undefined ? ` It echoes ${formatPercent(accuracy[0])} of the test windows exactly.`
          : ` Its ${replicas} replicas echo ${formatPercent(accuracy[0])} of the test windows exactly on average; this one, ${formatPercent(known)}.`;
      const node = el("section", { class: "card network", "aria-label": name },
        el("div", { class: "card-head" }, el("h2", {}, name), remove),
        el("p", { class: "hint" }, describeNetwork(settings), echoes),
        parts.echo, verdict, parts.top, parts.attention, parts.states);
      return { name, node, parts, verdict, settings };
    }

    async function update() {
      const call = ++calls;
      let window;
      try {
        window = readIntegers(text, classes);
        entry.setError("");
      } catch (error) {
        entry.setError(error.message);
        shown.forEach((card) => clear(card, ""));
        return;
      }
      setLink("echo", "", { integers: window.join(","), networks: chosen.map(inLink).join(",") });
      length = window.length;
      if (document.activeElement !== lengths.input) lengths.input.value = length;
      lengths.setError("");
      position = Math.min(position, window.length - 1);
      for (const card of shown) {
        const problem = windowError(window, card.settings);
        const weights = problem ? null : (await loadWeights(card.name)).get(card.settings.sequences);
        if (call !== calls) return; // the integers have changed by now
        if (problem) clear(card, problem);
        else showCard(card, window, weights);
      }
      const fitting = shown.find((card) => !windowError(window, card.settings));
      if (fitting) line.set(`pipeline echo ${fitting.name} ${window.join(" ")} --replica ${DATA.networks[fitting.name].replica}`);
    }

    function clear(card, message) {
      for (const part of Object.values(card.parts)) part.replaceChildren();
      card.verdict.textContent = message;
      card.verdict.className = message ? "verdict wrong" : "verdict";
    }

    function showCard(card, window, weights) {
      const result = runEcho(card.settings, weights, window);
      const expected = result.outputs.map((_, e) => (card.settings.first ? window[0] : window[e]));
      const echoed = result.outputs.map((row) => card.settings.scaled
        ? Math.min(Math.max(Math.round(row[0] * (card.settings.classes - 1)), 0), card.settings.classes - 1)
        : argmax(row));
      const wrong = echoed.filter((integer, e) => integer !== expected[e]).length;
      card.verdict.className = `verdict ${wrong ? "wrong" : "right"}`;
      card.verdict.textContent = wrong ? `${wrong} of ${echoed.length} wrong` : `All ${echoed.length} right`;
      const at = Math.min(position, echoed.length - 1);
      const choose = (e) => { position = e; shown.forEach((each) => each.select?.(Math.min(e, each.count - 1))); };
      const tokens = echoed.map((integer, e) => el("button", {
        type: "button", class: `token ${integer === expected[e] ? "right" : "wrong"}`,
        "aria-label": `Position ${e + 1}: ${integer}, ${integer === expected[e] ? "right" : `wrong, ${expected[e]} was read`}`,
        onclick: () => choose(e), onpointerenter: () => choose(e), onfocus: () => choose(e),
      }, String(integer), integer === expected[e] ? null : el("small", {}, `not ${expected[e]}`)));
      card.parts.echo.replaceChildren(...tokens);
      card.count = echoed.length;
      const heads = card.settings.scaled ? null : result.outputs.map((row) =>
        [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 3).map((integer) => [integer, row[integer]]));
      card.select = (e) => {
        tokens.forEach((token, i) => token.setAttribute("aria-pressed", String(i === e)));
        card.parts.top.replaceChildren(
          el("h3", {}, `Position ${e + 1}`),
          heads
            ? el("ol", { class: "chances" }, heads[e].map(([integer, p]) => chance(integer, p, integer === expected[e])))
            : el("p", {}, `The output is ${formatNumber(result.outputs[e][0] * (card.settings.classes - 1), 4)}, which is rounded to ${echoed[e]}.`));
        if (result.attention) {
          card.parts.attention.replaceChildren(
            el("h3", {}, "Attention"),
            el("p", { class: "hint" }, `How much position ${e + 1} of the echo looks at each integer of the window.`),
            el("div", { class: "attended" }, window.map((integer, t) =>
              el("span", { style: `--share:${result.attention[e][t].toFixed(3)}`, title: formatPercent(result.attention[e][t]) }, String(integer)))),
            heatMap(result.attention, { range: 1, signed: false, cellWidth: Math.max(4, Math.min(26, Math.floor(300 / window.length))), cellHeight: Math.max(4, Math.min(14, Math.floor(160 / result.attention.length))), label: `Attention: a row for each of ${result.attention.length} positions of the echo, a column for each integer of the window` }));
        } else card.parts.attention.replaceChildren();
      };
      card.select(at);
      const units = card.settings.architecture === "memoryless" ? "units" : "cells";
      card.parts.states.replaceChildren(
        el("h3", {}, `Outputs of the ${units}`),
        el("p", { class: "hint" }, `A row for each of the ${units}, a column for each step; blue is positive, orange negative. Under each is its largest value.`),
        el("div", { class: "heats" }, result.states.map(({ name, steps, rows }) => {
          const cells = rows[0].length;
          const range = Math.max(...rows.map((row) => Math.max(...row.map(Math.abs))));
          const transposed = Array.from({ length: cells }, (_, k) => rows.map((row) => row[k]));
          return el("figure", {},
            heatMap(transposed, { range, signed: true, cellWidth: Math.max(4, Math.min(28, Math.floor(220 / rows.length))), cellHeight: Math.max(2, Math.min(9, Math.floor(190 / cells))), label: `Outputs of ${cells} ${units} of the ${name} over ${rows.length} steps` }),
            el("figcaption", { title: steps.join(", ") }, `${name}, ${cells} ${units}, ±${formatNumber(range, 2)}`));
        })));
    }

    build();
  },
});

/** A bar of a probability. */
function chance(text, p, isRight) {
  return el("li", { class: isRight ? "right" : "" },
    el("span", { class: "what" }, String(text)),
    el("span", { class: "bar-of", style: `--share:${p.toFixed(4)}` }),
    el("span", { class: "p" }, formatPercent(p)));
}

function describeNetwork(settings) {
  const parts = [ARCHITECTURES[settings.architecture]];
  if (settings.architecture === "encoder-decoder") {
    if (settings.reverse) parts.push("The window is read backwards.");
    if (settings.teacherForcing) parts.push("The writer reads its own last integer.");
    if (settings.attends) parts.push("It attends to what was read.");
  }
  if (settings.keys === "position" && settings.architecture === "attention") parts.push("It attends by position.");
  if (settings.scaled) parts.push("Integers are scaled numbers.");
  if (settings.first) parts.push("Its task is to repeat the first integer of the sequence.");
  return parts.join(" ");
}

/** Windows and their echoes, for a trial of a study. */
registerDrawing("echo", (rows) =>
  el("table", { class: "rows" },
    el("thead", {}, el("tr", {}, ["read", "echoed"].map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, rows.slice(0, 8).map(([window, expected, echoed]) => el("tr", {},
      el("td", {}, window.join(" ")),
      el("td", {}, echoed.map((integer, e) => el("span", { class: integer === expected[e] ? "" : "wrong" }, `${integer} `))))))));
