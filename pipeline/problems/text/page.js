/* Writing text: the networks, and the view "Write". The networks are those of
   pipeline/problems/text/model/. */

const MAX_PROMPT = 2000;
const LENGTH = 500;

/* --- Networks -------------------------------------------------------------------------------- */

/** Run the LSTM layers on a character's code, or on a vector; returns the new states. */
function runLayers(settings, weights, input, states) {
  return states.reduce((next, state, layer) => {
    const from = layer ? next[layer - 1].hidden : input;
    return [...next, lstmStep(from, state, weights, `lstm-${layer}`)];
  }, []);
}

function embedCharacter(settings, weights, code) {
  return weights["embedding/kernel"] ? dense(code, weights, "embedding") : code;
}

function zeroStates(settings, weights) {
  return Array.from({ length: settings.layers }, (_, layer) => zeroState(weights, `lstm-${layer}`));
}

/** The probabilities after each character that the network reads one by one. */
function predictAfter(settings, weights, codes) {
  let states = zeroStates(settings, weights);
  return codes.map((code) => {
    states = runLayers(settings, weights, embedCharacter(settings, weights, code), states);
    return softmax(dense(states.at(-1).hidden, weights, "characters"));
  });
}

/** The probabilities of a block of characters after one: it is read at each step. */
function predictBlock(settings, weights, code) {
  return predictAfter(settings, weights, new Array(settings.block).fill(code));
}

/** Writes a text character by character, as `pipeline write` does. */
class TextWriter {
  constructor(settings, weights, prompt, temperature, seed) {
    Object.assign(this, { settings, weights, temperature });
    this.codes = [...prompt].map((character) => settings.indexOf.get(character));
    this.random = randomStream(seed, settings.stream, 0);
    this.states = zeroStates(settings, weights);
    this.read = 0; // characters of the text that the network has read
    this.block = [];
    if (settings.sample === "sequence") this.#skip(this.codes.length - 1);
  }

  /** Leave out the random numbers of the prompt's characters. */
  #skip(count) {
    for (let i = 0; i < count; i++) this.random();
  }

  /** Read some more characters of the text; returns whether all are read. */
  readOn(count) {
    if (this.settings.sample !== "sequence") return true;
    const end = Math.min(this.codes.length, this.read + count);
    for (; this.read < end; this.read++) {
      this.states = runLayers(this.settings, this.weights, embedCharacter(this.settings, this.weights, this.codes[this.read]), this.states);
    }
    return this.read === this.codes.length;
  }

  /** The probabilities of the next character. */
  predict() {
    const { settings, weights, codes } = this;
    switch (settings.sample) {
      case "sequence":
        this.readOn(Infinity);
        return softmax(dense(this.states.at(-1).hidden, weights, "characters"));
      case "one-to-many":
        if (!this.block.length) this.block = predictBlock(settings, weights, codes.at(-1));
        return this.block.shift();
      default:
        return predictAfter(settings, weights, codes.slice(-settings.window)).at(-1);
    }
  }

  /** Write a character; returns its code, and the probabilities that it was sampled from. */
  write() {
    const p = this.predict();
    const logits = p.map((share) => Math.log(Math.max(share, 1e-30)));
    const code = sampleCategorical(logits, this.random(), this.temperature);
    this.codes.push(code);
    return { code, p: this.temperature === 1 ? p : softmax(logits, this.temperature), bits: -Math.log2(Math.max(p[code], 1e-30)) };
  }
}

registerRunner("text", {
  /** Probabilities for the codes of characters. */
  predict(settings, weights, codes) {
    if (settings.sample === "one-to-many") return predictBlock(settings, weights, codes[0]).map((row) => [...row]);
    const rows = predictAfter(settings, weights, codes).map((row) => [...row]);
    return settings.sample === "many-to-one" ? [rows.at(-1)] : rows;
  },
  /** The continuation of a prompt, as `pipeline write` writes it. */
  sample(settings, weights, { prompt = settings.start, seed = 0, temperature = 1, length = 100 }) {
    splitAlphabet(settings);
    const writer = new TextWriter(settings, weights, prompt, temperature, seed);
    return Array.from({ length }, () => settings.characters[writer.write().code]).join("");
  },
});

/** Add the characters of the alphabet to the settings: an emoji is two units of a string. */
function splitAlphabet(settings) {
  settings.characters ??= [...settings.alphabet];
  settings.indexOf ??= new Map(settings.characters.map((character, code) => [character, code]));
}

/* --- View ------------------------------------------------------------------------------------ */

/** A character as a name that can be seen. */
function visible(character) {
  return { " ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍" }[character] ?? character;
}

/** Check a prompt; returns it or throws an Error with a sentence. */
function readPrompt(text, name, { window, sample, characters, indexOf }) {
  const least = sample === "sequence" ? 1 : window;
  const prompt = text.normalize("NFC").replace(/\r\n?/g, "\n");
  const count = [...prompt].length;
  if (!count) throw new Error("The prompt must not be empty: the network needs a character to continue.");
  if (count < least) throw new Error(`The prompt must have at least ${least} characters, the window of ${name}, got ${count}.`);
  if (count > MAX_PROMPT) throw new Error(`The prompt may have at most ${MAX_PROMPT.toLocaleString("en-US")} characters here, got ${count.toLocaleString("en-US")}; the command in the last line has no limit.`);
  const unknown = [...prompt].find((character) => !indexOf.has(character));
  if (unknown !== undefined) {
    const known = `${characters.slice(0, 40).map(visible).join("")}${characters.length > 40 ? "…" : ""}`;
    throw new Error(`The network does not know the character ${quote(visible(unknown))}. It knows ${known}`);
  }
  return prompt;
}

registerView({
  id: "write",
  title: "Write",
  problem: "text",
  links: (networks) => networks.map((name) => [name, linkTo("write", inLink(name))]),
  available: () => playableNetworks("text").length > 0,
  async show(root, path, params) {
    const names = playableNetworks("text");
    const name = networkOfLink(path, names);
    const network = DATA.networks[name];
    const { settings } = network;
    splitAlphabet(settings);
    let temperature = paramOr(params.temperature, readTemperature, 0.7);
    let seed = paramOr(params.seed, readSeed, 0);
    let prompt = params.prompt ?? settings.start;
    let weights = null;
    let writer = null;
    let written = [];
    let chosen = null; // the number of a character, or null for the last one
    let stop = null;
    root.append(
      el("p", { class: "kicker" }, "A network that writes character by character"),
      el("h1", {}, questionOf(name) || `${name} writes`));
    const menu = field("Network", networkMenu(names, name, (chosen) => {
      location.hash = linkTo("write", inLink(chosen));
    }));
    const slide = el("input", { type: "range", min: 0, max: 2, step: 0.05, value: Math.min(temperature, 2), "aria-label": "Temperature, as a slider", oninput: () => {
      temperature = Number(slide.value);
      heat.input.value = temperature;
      heat.setError("");
      again();
    } });
    const heat = numberField("Temperature", temperature, readTemperature, (value) => {
      temperature = value;
      slide.value = Math.min(value, 2);
      again();
    });
    heat.input.after(slide);
    heat.classList.add("with-slider");
    const seeds = numberField("Seed", seed, readSeed, (value) => { seed = value; again(); });
    const area = el("textarea", { rows: 2, spellcheck: "false", oninput: () => { prompt = area.value; again(); } });
    area.value = prompt;
    const entry = field("Prompt, which the network continues", area);
    entry.classList.add("wide");
    const toggle = el("button", { type: "button", class: "primary", onclick: () => (stop ? pause() : run()) }, "Stop");
    const one = el("button", { type: "button", onclick: () => { pause(); step(); } }, "Step");
    const all = el("button", { type: "button", onclick: () => { pause(); while (written.length < LENGTH && step()); } }, "To the end");
    const anew = el("button", { type: "button", onclick: () => {
      seed = (seed + 1) % 4294967296;
      seeds.input.value = seed;
      seeds.setError("");
      again();
    } }, "Again, with another seed");
    const sheet = el("div", { class: "paper", tabindex: 0, role: "group", "aria-label": "Written text; arrow keys choose a character" });
    const detail = el("section", { class: "card alternatives", "aria-live": "off" });
    const values = numbers();
    const line = reproduce("The same text in a terminal:");
    root.append(
      el("div", { class: "bar" }, menu, heat, seeds),
      el("div", { class: "stage write" },
        el("div", {}, entry,
          el("div", { class: "buttons" }, toggle, one, all, anew), sheet,
          el("p", { class: "legend-surprise hint" }, "Surprise: ", el("span", { style: "--bits:0" }, "0 bits"), el("span", { style: "--bits:.25" }, "2"), el("span", { style: "--bits:.5" }, "4"), el("span", { style: "--bits:.75" }, "6"), el("span", { style: "--bits:1" }, "8 or more"))),
        el("div", { class: "side" }, detail, el("section", { class: "card" }, el("h2", {}, "This text"), values))),
      line);

    function again() {
      if (!weights) return;
      pause();
      written = [];
      chosen = null;
      writer = null;
      sheet.replaceChildren();
      detail.replaceChildren(el("h2", {}, "Alternatives"));
      try {
        const checked = readPrompt(prompt, name, settings);
        entry.setError("");
        writer = new TextWriter(settings, weights, checked, temperature, seed);
        sheet.append(el("span", { class: "prompt" }, checked));
      } catch (error) {
        entry.setError(error.message);
      }
      const quoted = prompt.includes("\n") ? `$'${prompt.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n")}'` : `'${prompt.replaceAll("'", "'\\''")}'`;
      line.set(`pipeline write ${name} --temperature ${temperature} --seed ${seed} --replica ${network.replica}${prompt === settings.start ? "" : ` --prompt ${quoted}`}`);
      setLink("write", inLink(name), { temperature, seed, prompt: prompt === settings.start || [...prompt].length > MAX_PROMPT ? undefined : prompt });
      summarize();
      if (writer && !matchMedia("(prefers-reduced-motion: reduce)").matches) run();
    }

    function step() {
      if (!writer || written.length >= LENGTH || !writer.readOn(Infinity)) return false;
      const entry = writer.write();
      const number = written.push(entry) - 1;
      const character = settings.characters[entry.code];
      sheet.append(el("span", {
        style: `--bits:${Math.min(entry.bits / 8, 1).toFixed(2)}`, class: "written",
        onpointerenter: () => show(number), onclick: () => { chosen = number; show(number); },
      }, character === "\n" ? "↵\n" : character));
      if (chosen === null) show(number);
      summarize();
      return true;
    }

    function show(number) {
      const { code, p, bits } = written[number];
      sheet.querySelector(".now")?.classList.remove("now");
      const now = sheet.children[number + 1];
      now.classList.add("now");
      const top = now.offsetTop - sheet.offsetTop;
      if (top < sheet.scrollTop || top + now.offsetHeight > sheet.scrollTop + sheet.clientHeight) {
        sheet.scrollTop = top - sheet.clientHeight / 2;
      }
      const best = [...p.keys()].sort((a, b) => p[b] - p[a]).slice(0, 10);
      if (!best.includes(code)) best[best.length - 1] = code;
      detail.replaceChildren(
        el("h2", {}, `Character ${number + 1}: ${visible(settings.characters[code])}`),
        el("p", { class: "hint" }, `${formatNumber(bits)} bits of surprise at temperature 1 (p = ${formatPercent(2 ** -bits)}). ${temperature === 1 ? "The probabilities" : `At temperature ${temperature}, the probabilities were`}:`),
        el("ol", { class: "chances" }, best.map((each) => el("li", { class: each === code ? "right" : "" },
          el("span", { class: "what" }, visible(settings.characters[each])),
          el("span", { class: "bar-of", style: `--share:${p[each].toFixed(4)}` }),
          el("span", { class: "p" }, formatPercent(p[each]))))));
    }

    function summarize() {
      const bits = written.reduce((sum, entry) => sum + entry.bits, 0);
      const [mean] = network.metrics.bits_per_character ?? [];
      for (const button of [toggle, one, all]) button.disabled = !writer || written.length >= LENGTH;
      values.set([
        ["Characters", `${written.length} of ${LENGTH}`],
        ["Bits per character, written", written.length ? formatNumber(bits / written.length) : "–"],
        mean !== undefined && [`Bits per character, test text${network.replicas > 1 ? ", this replica" : ""}`, formatNumber(network.own?.bits_per_character ?? mean)],
        mean !== undefined && network.replicas > 1 && [`Bits per character, test text, mean of ${network.replicas} replicas`, formatNumber(mean)],
      ]);
    }

    function run() {
      toggle.textContent = "Stop";
      let last = 0;
      stop = animate((time) => {
        if (!writer.readOn(40)) return true; // a long prompt is read bit by bit
        if (time - last < 45) return true;
        last = time;
        const more = step();
        if (!more) pause();
        return more;
      });
    }

    function pause() {
      stop?.();
      stop = null;
      toggle.textContent = "Write";
    }

    sheet.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by || !written.length) return;
      event.preventDefault();
      chosen = Math.min(Math.max((chosen ?? written.length - 1) + by, 0), written.length - 1);
      show(chosen);
    });
    sheet.addEventListener("pointerleave", () => written.length && show(chosen ?? written.length - 1));
    weights = (await loadWeights(name)).get(network.steps.at(-1));
    if (sheet.isConnected) again();
  },
});

/** A text, for a trial of a study. */
registerDrawing("text", (text) => el("pre", { class: "paper small" }, text));
