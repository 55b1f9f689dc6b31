/* Drawing shapes: the networks, and the view "Draw". Polygons are lists of coordinates x, y, x, ….
   The networks are those of pipeline/problems/shapes/model/; inputs and constants are rounded to
   float32 as there. */

const SHOWN = 100; // shapes over each other
const COUNTED = 1000; // shapes in histograms
const LEAST = 200; // shapes for a distance between distributions
const BINS = 20;
const ROUNDING = 1e-6; // of sizes of shapes on a grid

/* --- Networks -------------------------------------------------------------------------------- */

/** Predict the vertex after each of some vertices, each a pair; by default with memory. */
function predictVertices(vertices, weights, memoryless) {
  let state = zeroState(weights, "lstm");
  return vertices.map((vertex) => {
    const next = lstmStep(vertex, memoryless ? zeroState(weights, "lstm") : state, weights, "lstm");
    state = next;
    return dense(next.hidden, weights, "vertices");
  });
}

/** Draw a polygon from its first vertex: each prediction is read as the next vertex. */
function drawPolygon(first, count, weights, memoryless) {
  let state = zeroState(weights, "lstm");
  let vertex = first;
  const polygon = [...first];
  for (let v = 1; v < count; v++) {
    state = lstmStep(vertex, memoryless ? zeroState(weights, "lstm") : state, weights, "lstm");
    vertex = dense(state.hidden, weights, "vertices");
    polygon.push(...vertex);
  }
  return polygon;
}

/** What is known about the coordinates of all families of a generator. */
function makeSlots(settings) {
  const lengths = settings.families.map((family) => family.base.length);
  const steps = Math.max(...lengths);
  const sizes = settings.families.map((family) => family.size);
  const vocabulary = Math.max(...sizes.map((size) => size ?? 0));
  const waves = [];
  for (let k = 1; vocabulary && k <= settings.cosines; k++) {
    for (let token = 0; token < vocabulary; token++) {
      waves.push(Math.SQRT2 * Math.cos(Math.PI * k * Math.fround((token + 0.5) / vocabulary)));
    }
  }
  const first = lengths.map((_, family) => lengths.slice(0, family).reduce((a, b) => a + b, 0));
  const { octaves, cosines, min_scale: minScale } = settings;
  const table = { data: Float32Array.from(waves), shape: [cosines, vocabulary] };
  return { steps, sizes, first, vocabulary, octaves, minScale, waves: table };
}

/** The state of a generator before the first coordinate of a family. */
function startShape(weights, slots, family) {
  return { state: zeroState(weights, "lstm"), last: 0.5, seen: new Float64Array(slots.steps), t: 0, family };
}

/** Read the last step and return the outputs for the next one: the logits of tokens, or the logits,
    means and scales of a mixture. Changes `shape.state`. */
function predictStep(shape, weights, slots, sample) {
  const slot = slots.first[shape.family] + shape.t;
  const input = new Float32Array(weights["lstm/kernel"].shape[0]);
  input[0] = shape.last - 0.5;
  for (let octave = 0; octave < slots.octaves; octave++) {
    const angle = Math.fround(shape.last * Math.fround(Math.PI) * 2 ** octave);
    input[1 + octave] = Math.sin(angle);
    input[1 + slots.octaves + octave] = Math.cos(angle);
  }
  input[1 + 2 * slots.octaves + slot] = 1;
  shape.state = lstmStep(input, shape.state, weights, "lstm");
  const { hidden } = shape.state;
  const both = new Float64Array(hidden.length + shape.seen.length);
  both.set(hidden);
  both.set(shape.seen, hidden.length);
  const center = denseColumn(both, weights, "center", slot);
  return sample === "tokens"
    ? { logits: tokenLogits(hidden, center, slot, weights, slots, shape.family) }
    : mixture(hidden, center, slot, weights, slots);
}

function tokenLogits(hidden, center, slot, weights, slots, family) {
  const logits = dense(hidden, weights, "free");
  addProduct(logits, dense(hidden, weights, "smooth"), slots.waves);
  const sharpness = Math.exp(denseColumn(hidden, weights, "sharpness", slot));
  const width = Math.fround(1 / slots.sizes[family]);
  return logits.map((logit, token) => logit - (sharpness * (center - width * (token + 0.5))) ** 2);
}

function mixture(hidden, center, slot, weights, slots) {
  const spread = Math.exp(denseColumn(hidden, weights, "spread", slot));
  const logits = dense(hidden, weights, "logits");
  const count = logits.length;
  return {
    logits,
    means: dense(hidden, weights, "offsets").map(
      (offset, k) => center + spread * (offset + (count > 1 ? -1 + (2 * k) / (count - 1) : -1))),
    scales: dense(hidden, weights, "scales").map(
      (scale) => slots.minScale + spread * Math.exp(scale - Math.log(count))),
  };
}

/** Sample a step or token by one random number or two, and read it. */
function takeStep(shape, outputs, slots, temperature, random) {
  const index = sampleCategorical(outputs.logits, random(), temperature);
  let value = index;
  if (outputs.means) {
    const u = Math.min(Math.max(random(), 1e-6), 1 - 1e-6);
    const shift = temperature * outputs.scales[index] * (Math.log(u) - Math.log1p(-u));
    value = Math.min(Math.max(outputs.means[index] + shift, 0), 1);
  }
  readStep(shape, slots, value);
  return value;
}

/** Make a step or token the input of the next step. */
function readStep(shape, slots, value) {
  const size = slots.sizes[shape.family];
  shape.last = size ? Math.fround((value + 0.5) / size) : value;
  shape.seen[shape.t] += shape.last - 0.5;
  shape.t += 1;
}

/** Sample a shape; returns its values and, if wanted, the outputs that they were sampled from. */
function sampleShape({ weights, slots, sample, family, length }, temperature, random, keep = false) {
  const shape = startShape(weights, slots, family);
  const values = [];
  const outputs = [];
  for (let t = 0; t < length; t++) {
    const output = predictStep(shape, weights, slots, sample);
    values.push(takeStep(shape, output, slots, temperature, random));
    if (keep) outputs.push(output);
  }
  for (let t = length; t < slots.steps; t++) random(); // all families take as many as the longest
  return { values, outputs };
}

/** The polygon of sampled values, clipped to the family's range. */
function toPolygon(values, { base, unit, low, high }) {
  const sums = [0, 0];
  const coordinates = values.map((value, t) => {
    sums[t % 2] += value;
    return Math.min(Math.max(base[t] + unit[t % 2] * sums[t % 2], low[t % 2]), high[t % 2]);
  });
  return [0, 0, ...coordinates];
}

/** The probabilities of the changes of a coordinate: shares of equal parts from low to high. */
function stepDistribution(outputs, values, t, family, temperature) {
  const unit = family.unit[t % 2];
  const shift = family.base[t] - (t > 1 ? family.base[t - 2] : 0);
  if (!outputs.means) {
    const shares = softmax(outputs.logits, temperature).slice(0, family.size);
    return { shares, low: shift - unit / 2, high: shift + unit * (family.size - 0.5), mark: shift + unit * values[t] };
  }
  const parts = 160;
  const of = softmax(outputs.logits, temperature);
  const cdf = (y) => of.reduce((sum, share, k) => sum + share * sigmoid((y - outputs.means[k]) / Math.max(temperature * outputs.scales[k], 1e-9)), 0);
  const below = Array.from({ length: parts + 1 }, (_, i) => (i === 0 ? 0 : i === parts ? 1 : cdf(i / parts)));
  return {
    shares: below.slice(1).map((share, i) => share - below[i]),
    low: shift, high: shift + unit, mark: shift + unit * values[t],
  };
}

/** The entropy of shares, in nats. */
const entropy = (shares) => shares.reduce((sum, share) => (share > 0 ? sum - share * Math.log(share) : sum), 0);

registerRunner("shapes", {
  /** Outputs for vertices, each a pair, or for the values of a shape: {family, values}. */
  predict(settings, weights, input) {
    if (settings.families[0].base === undefined) {
      return predictVertices(input, weights, settings.sample === "point").map((vertex) => [...vertex]);
    }
    const slots = makeSlots(settings);
    const shape = startShape(weights, slots, input.family);
    return input.values.map((value) => {
      const outputs = predictStep(shape, weights, slots, settings.sample);
      readStep(shape, slots, value);
      return outputs.means
        ? [...outputs.logits, ...outputs.means, ...outputs.scales.map(Math.log)]
        : [...outputs.logits];
    });
  },
  /** Polygons, as `pipeline draw` draws them. */
  sample(settings, weights, { shape, seed = 0, temperature = 1, count = 1 }) {
    const family = shape === undefined ? 0 : settings.families.findIndex((each) => each.name === shape);
    if (family < 0) throw new Error(`${quote(shape)} is no shape of this network; these are ${settings.families.map((each) => each.name).join(", ")}.`);
    const chosen = settings.families[family];
    if (!chosen.base) return [drawPolygon([0, 0], chosen.vertices, weights, settings.sample === "point")];
    const model = { weights, slots: makeSlots(settings), sample: settings.sample, family, length: chosen.base.length };
    const random = randomStream(seed, settings.stream, 0);
    return Array.from({ length: count }, () => toPolygon(sampleShape(model, temperature, random).values, chosen));
  },
});

/* --- Measures -------------------------------------------------------------------------------- */

/** The free parameters of a polygon, by least squares. */
function parametersOf(polygon, { inverse, offset }) {
  return inverse.map((row) => row.reduce((sum, value, i) => sum + value * (polygon[i] - offset[i]), 0));
}

/** A polygon moved so that its first vertex is at the origin, where those of the families are. */
const fromOrigin = (polygon) => polygon.map((value, i) => value - polygon[i % 2]);

/** What a free parameter is: a share, not a length. */
const ofMaximum = (parameter) => `${parameter}, share of its maximum`;

/** The mean absolute difference between a polygon and the nearest exact shape of its family. */
function consistencyError(polygon, family) {
  const theta = parametersOf(polygon, family);
  let sum = 0;
  family.matrix.forEach((row, i) => {
    sum += Math.abs(polygon[i] - family.offset[i] - dot(row, theta));
  });
  return sum / polygon.length;
}

/** The Kolmogorov–Smirnov distance of values from the uniform distribution on [0, 1]. */
function distanceFromUniform(values) {
  const sorted = Float64Array.from(values, (value) => Math.min(Math.max(value, 0), 1)).sort();
  let largest = 0;
  sorted.forEach((value, i) => {
    largest = Math.max(largest, value - i / sorted.length, (i + 1) / sorted.length - value);
  });
  return largest;
}

/* --- View ------------------------------------------------------------------------------------ */

/** A square drawing area for polygons of a family, with a margin around the data's range. */
function makeSheet(family, { size = 480, label, handle } = {}) {
  const [left, bottom] = family.low;
  const [width, height] = [0, 1].map((axis) => family.high[axis] - family.low[axis]);
  const scale = size / (1.24 * Math.max(width, height));
  const x = (value) => size / 2 + (value - left - width / 2) * scale;
  const y = (value) => size / 2 - (value - bottom - height / 2) * scale;
  const svg = el("svg", { viewBox: `0 0 ${size} ${size}`, class: "sheet", role: handle ? "group" : "img", "aria-label": label });
  svg.append(
    el("rect", { x: x(family.low[0]), y: y(family.high[1]), width: width * scale, height: height * scale, class: "range" }),
    size > 400 ? el("text", { x: x(family.low[0]) + 6, y: y(family.high[1]) + 16, class: "note" }, "range of the data") : "",
  );
  const toPath = (polygon, closed = true) => {
    const points = [];
    for (let i = 0; i + 1 < polygon.length; i += 2) points.push(`${x(polygon[i]).toFixed(1)} ${y(polygon[i + 1]).toFixed(1)}`);
    return points.length ? `M${points.join("L")}${closed ? "Z" : ""}` : "";
  };
  /** A path for each of some polygons, so that many over each other are darker. */
  const overlay = (polygons) => polygons.map((polygon) => el("path", { d: toPath(polygon), class: "overlay" }));
  const toData = (pixelX, pixelY) => [(pixelX - size / 2) / scale + left + width / 2, (size / 2 - pixelY) / scale + bottom + height / 2];
  return { svg, x, y, toPath, overlay, toData, size, scale };
}

const isMemoryless = (network) => DATA.networks[network].settings.sample === "point";

/** The other networks that predict the vertices of the same family. */
function rivals(name, names) {
  const familyOf = (each) => DATA.networks[each].settings.families[0];
  return names.filter((other) =>
    other !== name && familyOf(other).base === undefined && familyOf(other).name === familyOf(name).name);
}

registerView({
  id: "draw",
  title: "Draw",
  problem: "shapes",
  links: (networks) => networks.map((name) => {
    const rival = rivals(name, networks).find((other) => isMemoryless(other) !== isMemoryless(name));
    return [name, linkTo("draw", inLink(name), { with: rival && inLink(rival) })];
  }),
  available: () => playableNetworks("shapes").length > 0,
  async show(root, path, params) {
    const names = playableNetworks("shapes");
    const name = networkOfLink(path, names);
    const network = DATA.networks[name];
    const generative = network.settings.families[0].base !== undefined;
    root.append(
      el("p", { class: "kicker" }, generative ? "A network that draws a different shape each time" : "A network that predicts the next corner"),
      el("h1", {}, questionOf(name) || `${name} draws`),
    );
    const bar = el("div", { class: "bar" });
    root.append(bar);
    bar.append(field("Network", networkMenu(names, name, (chosen) => {
      location.hash = linkTo("draw", inLink(chosen));
    })));
    const [byStep, curves, drawings] = await Promise.all(
      [loadWeights(name), loadCurves(name), loadJson(`drawings:${name}`)]);
    if (!bar.isConnected) return; // another view is shown by now
    (generative ? showGenerator : showPredictor)(root, bar, { name, network, byStep, curves, drawings, params, names });
  },
});

function readSequences(text) {
  if (!/^\d+$/.test(text)) throw new Error(`The step must be a number of sequences, got ${quote(text)}.`);
  return Number(text);
}

/** The steps of training that the slider stops at, and which of them is chosen by a link. */
function stopsOf({ byStep, drawings, params }) {
  const stops = [...new Set([...drawings.map(([step]) => step), ...byStep.keys()])].sort((a, b) => a - b);
  const wanted = paramOr(params.step, readSequences, stops.at(-1));
  return { stops, position: stops.indexOf(stops.find((step) => step >= wanted) ?? stops.at(-1)) };
}

/** The slider through the training and the learning curve, which move together. */
function trainingControls(context, onchange) {
  const { name, network, curves } = context;
  const { stops, position } = stopsOf(context);
  const { plural } = network.settings;
  const output = el("span", { class: "value" });
  const describe = (i) => `after ${formatNumber(stops[i])} ${plural}`;
  const input = slider(stops.length, position, describe, (i) => choose(i));
  const metric = Object.keys(curves).find((key) => key !== "sequences");
  const curve = curves[metric];
  const problem = DATA.problems.shapes;
  const box = el("div", { class: "plot-box" });
  let svg;
  let current = position;
  responsive(box, (width) => {
    svg = curvePlot({
      width, height: px(190), metric: problem.metrics[metric], references: curve.references,
      series: [{ name: "median", sequences: curves.sequences, ...curve, color: "color-0" }],
      xLabel: `${plural} seen in training`,
      title: `Learning curve of ${name}: ${problem.metrics[metric].label}`,
      onpick: (seen) => choose(nearestIndex(stops, seen)),
    });
    svg.setCursor(stops[current]);
    return svg;
  });
  function choose(i) {
    current = i;
    input.set(i);
    tell();
    svg?.setCursor(stops[i]);
    onchange(stops[i]);
  }
  const { label, meaning } = problem.metrics[metric];
  const unit = / in (\w+)/.exec(meaning)?.[1];
  const values = numbers();
  const tell = () => {
    output.textContent = describe(current);
    const median = curve.median[nearestIndex(curves.sequences, stops[current])];
    values.set([[`${label}, median of ${network.replicas === 1 ? "one replica" : `${network.replicas} replicas`}`,
      `${formatNumber(median)}${unit ? ` ${unit}` : ""}`, meaning]]);
  };
  tell();
  return {
    control: field("Training", input, { output }),
    panel: el("section", { class: "card" }, el("h2", {}, "Learning curve"), values, box,
      el("p", { class: "hint" }, `Median and middle 80% of all replicas, on validation data; replica ${network.replica} draws here. Click the curve to move the slider.`)),
    get step() { return stops[current]; },
    get isLast() { return current === stops.length - 1; },
  };
}

/** A network that predicts vertices: its first point can be dragged. */
function showPredictor(root, bar, context) {
  const { name, network, byStep, drawings, params, names } = context;
  const [family] = network.settings.families;
  const memoryless = isMemoryless(name);
  const others = rivals(name, names);
  const usual = others.find((each) => isMemoryless(each) !== memoryless);
  let other = params.with === "none" ? "" : choiceOr(params.with, others, usual ?? "", `network to compare with ${name}`);
  const limits = [0, 1].map((axis) => {
    const pad = 0.1 * Math.max(family.high[0] - family.low[0], family.high[1] - family.low[1]);
    return [family.low[axis] - pad, family.high[axis] + pad];
  });
  const clamp = (value, axis) => Math.min(Math.max(value, limits[axis][0]), limits[axis][1]);
  const readCoordinate = (text) => {
    if (!Number.isFinite(Number(text)) || String(text).trim() === "") throw new Error(`A coordinate must be a number, got ${quote(text)}.`);
    return Number(text);
  };
  let first = [0, 1].map((axis) => clamp(paramOr(params[axis ? "y" : "x"], readCoordinate, 0), axis));
  let showMap = memoryless && params.map === "1";

  const training = trainingControls(context, () => update());
  bar.append(training.control);
  let otherWeights = null;
  if (others.length) {
    bar.append(field("Compare with", networkMenu(others, other, async (chosen) => {
      other = chosen;
      otherWeights = other ? await loadWeights(other) : null;
      update();
    }, { none: "no other network" })));
  }
  const sheet = makeSheet(family, { label: `Drawing of ${name}`, handle: true });
  const layers = Object.fromEntries(["arrows", "replicas", "other", "drawing", "corners"].map((key) => [key, el("g", { class: key })]));
  const handle = el("g", { class: "handle", tabindex: 0, role: "application" },
    el("circle", { r: 22, class: "reach" }), el("circle", { r: 9, class: "ring" }), el("circle", { r: 4, class: "center" }));
  sheet.svg.append(...Object.values(layers), handle);
  const legend = el("ul", { class: "legend" });
  const values = numbers();
  const reset = el("button", { type: "button", onclick: () => { first = [0, 0]; update(); } }, "Back to the origin");
  const mapButton = el("button", { type: "button", "aria-pressed": String(showMap), onclick: () => {
    showMap = !showMap;
    mapButton.setAttribute("aria-pressed", String(showMap));
    update();
  } }, "Show where each point leads");
  const hint = el("p", { class: "hint" });
  const line = reproduce("The same drawing in a terminal:");
  root.append(
    el("div", { class: "stage" },
      el("div", { class: "canvas" }, sheet.svg, legend, el("div", { class: "buttons" }, reset, memoryless ? mapButton : null)),
      el("div", { class: "side" },
        el("section", { class: "card" }, el("h2", {}, "This drawing"), values, hint),
        training.panel)),
    line);

  const draw = (weights, forgets) => drawPolygon(first, family.vertices, weights, forgets);
  /** The step nearest to that of the slider of which there are weights, and a network's name with
      it where it is another one. */
  const nearest = (network, weights) => {
    const steps = [...weights.keys()];
    const step = steps[nearestIndex(steps, training.step)];
    return [step, step === training.step ? network : `${network}, after ${formatNumber(step)}`];
  };
  function update() {
    const [drawn, drawnName] = nearest(name, byStep);
    const weights = byStep.get(drawn);
    const polygon = draw(weights, memoryless);
    const atOrigin = first[0] === 0 && first[1] === 0;
    layers.drawing.replaceChildren(el("path", { d: sheet.toPath(polygon), class: "shape color-0" }));
    const corners = [];
    const numbered = [];
    for (let i = 2; i < polygon.length; i += 2) {
      const [x, y] = [sheet.x(polygon[i]), sheet.y(polygon[i + 1])];
      corners.push(el("circle", { cx: x, cy: y, r: 4, class: "dot color-0" }));
      if (polygon.length > 16 || numbered.some((at) => Math.hypot(x - at[0], y - at[1]) < 14)) continue;
      numbered.push([x, y]);
      corners.push(el("text", { x: x + 8, y: y - 7, class: "note" }, String(i / 2 + 1)));
    }
    layers.corners.replaceChildren(...corners);
    let otherPolygon = null;
    let otherName = other;
    if (other && otherWeights) {
      const [step, shown] = nearest(other, otherWeights);
      otherName = shown;
      otherPolygon = draw(otherWeights.get(step), isMemoryless(other));
      layers.other.replaceChildren(el("path", { d: sheet.toPath(otherPolygon), class: "shape color-1 other" }));
    } else layers.other.replaceChildren();
    const stored = drawings.find(([step]) => step === training.step);
    layers.replicas.replaceChildren(
      ...(atOrigin && stored && stored[1].length > 1 ? sheet.overlay(stored[1]) : []));
    layers.arrows.replaceChildren(...(showMap ? arrows(weights) : []));
    handle.setAttribute("transform", `translate(${sheet.x(first[0]).toFixed(1)} ${sheet.y(first[1]).toFixed(1)})`);
    handle.setAttribute("aria-label", `First point, x ${first[0].toFixed(2)}, y ${first[1].toFixed(2)}. Drag it, or move it with the arrow keys.`);
    const size = parametersOf(fromOrigin(polygon), family);
    values.set([
      ["Consistency error", formatNumber(consistencyError(fromOrigin(polygon), family)), "Mean distance of this drawing's coordinates from the nearest exact shape"],
      otherPolygon && [`Consistency error, ${otherName}`, formatNumber(consistencyError(fromOrigin(otherPolygon), family))],
      ...family.parameters.map((label, i) => [ofMaximum(label), formatNumber(size[i])]),
      ["First point", `${first.map((value) => value.toFixed(2).replace("-", "−")).join(", ")}`],
    ]);
    hint.textContent = atOrigin
      ? "All training shapes start at the origin. Drag the first point away from it, or move it with the arrow keys."
      : memoryless
        ? "Without memory, a point alone decides where the pen goes next: the network takes this one for any corner that could lie here."
        : "No training shape started here. This network carries its state from corner to corner, so it still knows which corner comes next.";
    legend.replaceChildren(
      el("li", { class: "color-0" }, drawnName),
      otherPolygon ? el("li", { class: "color-1 other" }, otherName) : "",
      atOrigin && stored && stored[1].length > 1 ? el("li", { class: "thin" }, `all ${stored[1].length} replicas`) : "");
    if (training.isLast && atOrigin) line.set(`pipeline draw ${name} --replica ${network.replica}`, "The same drawing in a terminal:");
    else if (atOrigin) line.set(`dvc repro figures@${name.split("/")[0]}`, "Drawings during training are figures of the experiment, which this writes to reports/figures/:");
    else line.set(`pipeline draw ${name} --json`, "In a terminal, drawings start at the origin:");
    setLink("draw", inLink(name), {
      step: training.isLast ? undefined : training.step,
      x: atOrigin ? undefined : first[0].toFixed(3), y: atOrigin ? undefined : first[1].toFixed(3),
      with: other ? inLink(other) : others.length ? "none" : undefined, map: showMap ? 1 : undefined,
    });
  }

  function arrows(weights) {
    const lines = [];
    const count = 13;
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        const from = [limits[0][0] + (i / (count - 1)) * (limits[0][1] - limits[0][0]), limits[1][0] + (j / (count - 1)) * (limits[1][1] - limits[1][0])];
        const [to] = predictVertices([from], weights, true);
        const [dx, dy] = [(to[0] - from[0]) * sheet.scale, -(to[1] - from[1]) * sheet.scale];
        const length = Math.hypot(dx, dy) || 1;
        const shown = 8 + 22 * Math.min(length / 240, 1);
        const [x, y] = [sheet.x(from[0]), sheet.y(from[1])];
        const [ux, uy] = [dx / length, dy / length];
        const tip = [x + ux * shown, y + uy * shown];
        lines.push(`M${x.toFixed(1)} ${y.toFixed(1)}L${tip[0].toFixed(1)} ${tip[1].toFixed(1)}` +
          `M${(tip[0] - 5 * ux + 3 * uy).toFixed(1)} ${(tip[1] - 5 * uy - 3 * ux).toFixed(1)}L${tip[0].toFixed(1)} ${tip[1].toFixed(1)}L${(tip[0] - 5 * ux - 3 * uy).toFixed(1)} ${(tip[1] - 5 * uy + 3 * ux).toFixed(1)}`);
      }
    }
    return [el("path", { d: lines.join("") })];
  }

  const move = (event) => {
    const box = sheet.svg.getBoundingClientRect();
    const pixel = [((event.clientX - box.left) / box.width) * sheet.size, ((event.clientY - box.top) / box.height) * sheet.size];
    first = sheet.toData(...pixel).map((value, axis) => Number(clamp(value, axis).toFixed(3)));
    if (Math.hypot(sheet.x(first[0]) - sheet.x(0), sheet.y(first[1]) - sheet.y(0)) < 7) first = [0, 0];
    update();
  };
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    handle.classList.add("held");
    event.preventDefault();
    handle.focus();
  });
  handle.addEventListener("pointermove", (event) => handle.hasPointerCapture(event.pointerId) && move(event));
  handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // else the page scrolls
  for (const end of ["pointerup", "pointercancel"]) handle.addEventListener(end, () => handle.classList.remove("held"));
  handle.addEventListener("keydown", (event) => {
    const step = (event.shiftKey ? 0.1 : 0.01) * Math.max(...family.high);
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    if (event.key === "Home") first = [0, 0];
    else if (by) first = first.map((value, axis) => Number(clamp(value + by[axis], axis).toFixed(3)));
    else return;
    event.preventDefault();
    update();
  });
  update();
  if (other) {
    loadWeights(other).then((weights) => {
      otherWeights = weights;
      update();
    });
  }
}

/** A generator: shapes are sampled at a temperature and a seed. */
function showGenerator(root, bar, context) {
  const { name, network, byStep, drawings, params } = context;
  const { settings } = network;
  const slots = makeSlots(settings);
  const shapes = settings.families.map((each) => each.name);
  let family = shapes.indexOf(choiceOr(params.shape, shapes, shapes[0], `shape of ${name}`));
  let temperature = paramOr(params.temperature, readTemperature, 1);
  let seed = paramOr(params.seed, readSeed, 0);
  let coordinate = null; // null: the complete shape
  let shape = null;
  let batch = [];
  let stopBatch = () => {};
  let stopPlay = null;

  const training = trainingControls(context, () => restart());
  bar.append(training.control);
  if (settings.families.length > 1) {
    const menu = el("select", { onchange: () => { family = Number(menu.value); build(); restart(); } },
      settings.families.map((each, i) => el("option", { value: i }, each.name)));
    menu.value = family;
    bar.append(field("Shape", menu));
  }
  const temperatureSlider = el("input", { type: "range", min: 0, max: 2, step: 0.05, value: Math.min(temperature, 2), "aria-label": "Temperature, as a slider", oninput: () => {
    temperature = Number(temperatureSlider.value);
    temperatureField.input.value = temperature;
    temperatureField.setError("");
    restart();
  } });
  const temperatureField = numberField("Temperature", temperature, readTemperature, (value) => {
    temperature = value;
    temperatureSlider.value = Math.min(value, 2);
    restart();
  });
  temperatureField.input.after(temperatureSlider);
  temperatureField.classList.add("with-slider");
  const seedField = numberField("Seed", seed, readSeed, (value) => { seed = value; restart(); });
  const another = el("button", { type: "button", class: "primary", onclick: () => {
    seed = (seed + 1) % 4294967296;
    seedField.input.value = seed;
    seedField.setError("");
    restart();
  } }, "Draw another");
  seedField.input.after(another);
  seedField.classList.add("with-button");
  bar.append(temperatureField, seedField);

  const canvas = el("div", { class: "canvas" });
  const sheetBox = el("div", {});
  const overlayBox = el("div", {});
  const scrub = el("div", { class: "scrub" });
  const play = el("button", { type: "button", onclick: () => (stopPlay ? pause() : start()) }, "Play");
  const caption = el("p", { class: "hint", "aria-live": "polite" });
  const note = el("p", { class: "hint" });
  const overlayTitle = el("h2", {});
  const distribution = el("div", { class: "plot-box" });
  const distributionTitle = el("h2", {}, "Next coordinate");
  const histograms = el("div", { class: "histograms" });
  const values = numbers();
  const line = reproduce("The same shapes in a terminal:");
  canvas.append(sheetBox, el("div", { class: "player" }, play, scrub), caption);
  root.append(
    el("div", { class: "stage" },
      canvas,
      el("div", { class: "side" },
        el("section", { class: "card" }, distributionTitle, distribution, el("p", { class: "hint" }, "The network predicts a distribution; the line is the value that was sampled from it and read next.")),
        training.panel)),
    el("div", { class: "stage lower" },
      el("section", { class: "card" }, overlayTitle, overlayBox, note),
      el("section", { class: "card" }, el("h2", {}, "Sizes of the drawn shapes"), values, histograms)),
    line);

  let sheet;
  let overlay;
  let strokes;
  let scrubber;
  const redrawDistribution = responsive(distribution, (width) => distributionPlot(width));
  let redrawHistograms = [];

  function build() {
    const current = settings.families[family];
    sheet = makeSheet(current, { label: `A ${current.name} drawn by ${name}` });
    strokes = Object.fromEntries(["done", "next"].map((key) => [key, el("g", { class: key })]));
    sheet.svg.append(strokes.done, strokes.next);
    overlay = makeSheet(current, { size: 360, label: `${SHOWN} shapes drawn by ${name}` });
    overlay.paths = el("g", { class: "many" });
    overlay.svg.append(overlay.paths);
    sheetBox.replaceChildren(sheet.svg);
    overlayBox.replaceChildren(overlay.svg);
    scrubber = slider(current.base.length + 1, current.base.length, (i) => describeCoordinate(i), (i) => {
      pause();
      coordinate = i === current.base.length ? null : i;
      update();
    });
    scrubber.setAttribute("aria-label", "Coordinate of the drawing");
    scrub.replaceChildren(scrubber);
    const boxes = current.parameters.map(() => el("div", { class: "plot-box" }));
    histograms.replaceChildren(...boxes);
    redrawHistograms = boxes.map((box, i) => responsive(box, (width) => sizePlot(width, i)));
  }

  const describeCoordinate = (i) => {
    const { length } = settings.families[family].base;
    return i >= length ? "complete shape" : `${i % 2 ? "y" : "x"} of vertex ${Math.floor(i / 2) + 2} (coordinate ${i + 1} of ${length})`;
  };

  /** Weights of the chosen step of training, or undefined if only drawings are stored. */
  const weightsNow = () => byStep.get(training.step);

  function restart() {
    pause();
    stopBatch();
    coordinate = null;
    const current = settings.families[family];
    const weights = weightsNow();
    batch = [];
    overlay.paths.replaceChildren();
    for (const input of [temperatureField.input, temperatureSlider, seedField.input, another]) input.disabled = !weights;
    overlayTitle.textContent = weights ? `${SHOWN} shapes of this seed` : "Stored shapes";
    if (!weights) {
      shape = null;
      const [, stored] = drawings.find(([step]) => step === training.step);
      const own = stored.filter((_, i) => i % settings.families.length === family);
      batch = own;
      note.textContent = `${own.length} shapes that were stored after ${formatNumber(training.step)} ${settings.plural} of training, at temperature 1. The network itself is on this page as it was at the end of the training.`;
    } else {
      note.textContent = "";
      const model = { weights, slots, sample: settings.sample, family, length: current.base.length };
      shape = sampleShape(model, temperature, randomStream(seed, settings.stream, 0), true);
      shape.polygon = toPolygon(shape.values, current);
      const random = randomStream(seed, settings.stream, 0);
      let shown = 0;
      stopBatch = animate((time) => {
        const until = performance.now() + 10;
        do batch.push(toPolygon(sampleShape(model, temperature, random).values, current));
        while (batch.length < COUNTED && performance.now() < until);
        if (time - shown > 100 || batch.length === COUNTED) {
          shown = time;
          showBatch();
        }
        return batch.length < COUNTED;
      });
    }
    update();
    showBatch();
  }

  function showBatch() {
    overlay.paths.append(...overlay.overlay(batch.slice(overlay.paths.children.length, SHOWN)));
    redrawHistograms.forEach((redraw) => redraw());
    const current = settings.families[family];
    const thetas = batch.map((polygon) => parametersOf(polygon, current));
    const distances = current.known && batch.length >= LEAST
      ? current.parameters.map((_, i) => distanceFromUniform(thetas.map((theta) => theta[i]))) : [];
    values.set([
      ["Shapes", formatNumber(batch.length)],
      distances.length && ["KS distance from the data", `${formatNumber(Math.max(...distances))} (by chance: ${formatNumber(0.9 / Math.sqrt(batch.length), 1)})`, "Largest distance between the distributions of a size, and what it is about for as many shapes of the data"],
      batch.length && ["Consistency error", formatNumber(batch.reduce((sum, polygon) => sum + consistencyError(polygon, current), 0) / batch.length)],
    ]);
  }

  function sizePlot(width, parameter) {
    const current = settings.families[family];
    const thetas = batch.map((polygon) => parametersOf(polygon, current)[parameter]);
    let [low, high] = [0, 1];
    if (!current.known && thetas.length) [low, high] = [Math.min(...thetas), Math.max(...thetas) + 1e-9];
    const counts = new Array(BINS).fill(0);
    const inside = thetas.filter((theta) => theta > low - ROUNDING && theta < high + ROUNDING);
    for (const theta of inside) counts[Math.min(Math.max(Math.floor(((theta - low) / (high - low)) * BINS), 0), BINS - 1)] += 1;
    const share = (isBeyond) => formatPercent(thetas.filter(isBeyond).length / thetas.length);
    const beyond = [
      thetas.some((theta) => theta >= high + ROUNDING) && `${share((theta) => theta >= high + ROUNDING)} larger than ${formatNumber(high)}`,
      thetas.some((theta) => theta <= low - ROUNDING) && `${share((theta) => theta <= low - ROUNDING)} smaller than ${formatNumber(low)}`,
    ].filter(Boolean).join(", ");
    const plot = histogramPlot({
      width, height: px(160), low, high, color: 0,
      shares: counts.map((count) => count / Math.max(thetas.length, 1)),
      expected: current.known ? new Array(BINS).fill(1 / BINS) : undefined,
      label: ofMaximum(current.parameters[parameter]), yLabel: "share of shapes",
      title: `Histogram of the ${current.parameters[parameter]} of ${thetas.length} shapes; the line is the distribution in the data`,
    });
    return el("div", {}, plot, beyond ? el("p", { class: "hint" }, `Not shown: ${beyond}.`) : "");
  }

  function distributionPlot(width) {
    const current = settings.families[family];
    if (!shape) return el("p", { class: "empty" }, "Move the training slider to the end to look inside the network.");
    const distributionOf = (t) => stepDistribution(shape.outputs[t], shape.values, t, current, temperature);
    const entropies = coordinate === null ? shape.outputs.map((_, t) => entropy(distributionOf(t).shares)) : [];
    const t = coordinate ?? argmax(entropies);
    const { shares, low, high, mark } = distributionOf(t);
    return histogramPlot({
      width, height: px(180), shares: [...shares], low, high, mark, color: 1,
      label: `change of ${t % 2 ? "y" : "x"} to vertex ${Math.floor(t / 2) + 2}`, yLabel: "probability",
      title: `Distribution of the ${describeCoordinate(t)}; sampled: ${formatNumber(mark)}`,
    });
  }

  function update() {
    const current = settings.families[family];
    const length = current.base.length;
    play.disabled = !shape;
    scrubber.disabled = !shape;
    if (!shape) {
      strokes.done.replaceChildren(...sheet.overlay(batch));
      strokes.next.replaceChildren();
      caption.textContent = "";
    } else {
      const t = coordinate ?? length;
      const points = shape.polygon.slice(0, 2 + 2 * Math.floor(t / 2));
      const closed = coordinate === null;
      const dots = [];
      for (let i = 0; i < points.length; i += 2) dots.push(el("circle", { cx: sheet.x(points[i]), cy: sheet.y(points[i + 1]), r: 4, class: "dot color-0" }));
      strokes.done.replaceChildren(el("path", { d: sheet.toPath(points, closed), class: `shape color-0${closed ? "" : " open"}` }), ...dots);
      strokes.next.replaceChildren(...(closed ? [] : nextMarks(t, points, current)));
      caption.textContent = closed ? "Drag the slider, or press Play, to see the network draw it coordinate by coordinate." : `Sampling the ${describeCoordinate(t)}.`;
      scrubber.set(t);
    }
    distributionTitle.textContent = shape && coordinate === null ? "The least certain coordinate" : "Next coordinate";
    redrawDistribution();
    const where = { step: training.isLast ? undefined : training.step, shape: settings.families.length > 1 ? current.name : undefined };
    setLink("draw", inLink(name), { ...where, temperature, seed });
    const option = settings.families.length > 1 ? ` --shape ${current.name}` : "";
    if (shape) line.set(`pipeline draw ${name}${option} --temperature ${temperature} --seed ${seed} --count ${SHOWN} --replica ${network.replica}`, "The same shapes in a terminal:");
    else line.set(`dvc repro figures@${name.split("/")[0]}`, "Drawings during training are figures of the experiment, which this writes to reports/figures/:");
  }

  /** The probabilities of where the next coordinate is, as a fading line across the sheet. */
  function nextMarks(t, points, current) {
    const { shares, low, high } = stepDistribution(shape.outputs[t], shape.values, t, current, temperature);
    const [lastX, lastY] = points.slice(-2);
    const nextX = shape.polygon[2 * Math.floor(t / 2) + 2];
    const largest = Math.max(...shares);
    const size = (high - low) / shares.length;
    return [...shares].flatMap((share, i) => {
      if (share < largest / 200) return [];
      const from = low + i * size;
      const opacity = (0.12 + 0.88 * Math.sqrt(share / largest)).toFixed(2);
      const box = t % 2
        ? { x1: sheet.x(nextX), x2: sheet.x(nextX), y1: sheet.y(lastY + from), y2: sheet.y(lastY + from + size) }
        : { x1: sheet.x(lastX + from), x2: sheet.x(lastX + from + size), y1: sheet.y(lastY), y2: sheet.y(lastY) };
      return [el("line", { ...box, class: "guess", opacity })];
    });
  }

  function start() {
    if (!shape) return;
    play.textContent = "Pause";
    const { length } = settings.families[family].base;
    coordinate = coordinate ?? 0;
    let since = null;
    const first = coordinate;
    const pace = Math.max(120, Math.min(450, 6000 / length)); // milliseconds per coordinate
    stopPlay = animate((time) => {
      since ??= time;
      const now = first + Math.floor((time - since) / pace);
      if (now !== coordinate) {
        coordinate = now >= length ? null : now;
        update();
      }
      if (coordinate === null) pause();
      return coordinate !== null;
    });
  }

  function pause() {
    stopPlay?.();
    stopPlay = null;
    play.textContent = "Play";
  }

  build();
  restart();
}

/** A polygon or several over each other, for a trial of a study. */
registerDrawing("shapes", (polygons) => {
  const all = polygons.flat();
  const xs = all.filter((_, i) => i % 2 === 0);
  const family = {
    low: [Math.min(0, ...xs), Math.min(0, ...all.filter((_, i) => i % 2))],
    high: [Math.max(1, ...xs), Math.max(1, ...all.filter((_, i) => i % 2))],
  };
  const sheet = makeSheet(family, { size: 300, label: `Drawings of ${polygons.length} replicas` });
  sheet.svg.append(...sheet.overlay(polygons));
  return sheet.svg;
});
