/* The view "Explore": questions to guess at, learning curves side by side, and studies. */

const TABS = { questions: "Questions", curves: "Learning curves", studies: "Studies" };

registerView({
  id: "explore",
  title: "Explore",
  available: () => true,
  async show(root, path, params) {
    const shown = Object.keys(TABS).filter((tab) =>
      tab === "curves" || (tab === "questions" ? DATA.story.length : DATA.studies.length));
    const [tab, name] = path.split("/");
    const chosen = choiceOr(tab, shown, shown[0], "part of this view");
    root.append(
      el("nav", { class: "tabs", "aria-label": "Parts of this view" }, shown.map((each) =>
        el("a", { href: linkTo("explore", each), "aria-current": each === chosen ? "page" : undefined }, TABS[each]))));
    const parts = { questions: showQuestions, curves: showCurves, studies: showStudies };
    await parts[chosen](root, name, params);
  },
});

/* --- Questions ------------------------------------------------------------------------------- */

const STEPS = 1000; // of the slider of a guess
const CLOSE = 20; // steps by which a guess may miss an interval
const guesses = new Map(); // positions and whether the answer is shown, by question

function showQuestions(root, _, params) {
  const { story } = DATA;
  const number = Number(choiceOr(params.n, story.map((_, i) => String(i + 1)), "1", "question"));
  const head = el("div", {});
  root.append(head);
  show();

  function show() {
    setLink("explore", "questions", { n: number });
    const entry = story[number - 1];
    const guess = guesses.get(number) ?? { at: [], revealed: false };
    guesses.set(number, guess);
    const values = entry.rows.flatMap(([, mean, low, high]) => [mean, low ?? mean, high ?? mean]);
    const positive = values.filter((value) => value > 0);
    const means = entry.rows.map(([, mean]) => mean);
    const log = wantsLog(means, entry.higherIsBetter);
    const low = log ? Math.min(...positive) * 0.6 : Math.min(0, ...means); // intervals may reach beyond possible values
    const high = entry.higherIsBetter && Math.max(...values) <= 1 ? 1 : Math.max(...values) * (log ? 1.5 : 1.08);
    const scale = makeScale(low, high, 0, 400, log); // of the pixels only those of ticks matter
    const position = (value) => Math.min(Math.max(scale(Math.max(value, log ? low : -Infinity)) / 400, 0), 1);
    const step = (value) => Math.round(STEPS * position(value));
    const first = entry.rows[0];

    const experiment = first[0].split("/")[0];
    const shared = entry.rows.every(([label]) => label.startsWith(`${experiment}/`));
    const rows = entry.rows.map(([name, mean, from, to], i) => {
      const label = shared ? name.slice(experiment.length + 1) : name;
      const given = i === 0;
      const input = el("input", { type: "range", min: 0, max: STEPS, disabled: given, "aria-label": `What do you expect for ${label}?`, oninput: () => {
        guess.at[i] = input.value;
        tell();
      } });
      input.value = guess.at[i] ?? step(first[1]);
      const output = el("span", { class: "guess-value" });
      const actual = el("span", { class: "actual", style: `--at:${position(mean).toFixed(4)};--from:${position(from ?? mean).toFixed(4)};--to:${position(to ?? mean).toFixed(4)}`, "aria-hidden": "true" }, el("i", {}), el("b", {}));
      const tell = () => {
        const text = formatNumber(Number(scale.invert((400 * Number(input.value)) / STEPS).toPrecision(3)));
        input.setAttribute("aria-valuetext", text);
        output.replaceChildren(given || guess.revealed
          ? el("strong", {}, formatNumber(mean)) : text,
          guess.revealed && !given ? el("small", {}, ` you: ${text}${isClose(row) ? " ✓" : ""}`) : "");
      };
      const node = el("div", { class: given ? "guess given" : "guess" }, el("span", { class: "guess-label" }, label), el("span", { class: "track" }, input, actual), output);
      const row = { node, input, tell, given, at: step(mean), low: from ?? mean, high: to ?? mean };
      Object.assign(row, { from: step(row.low), to: step(row.high) });
      tell();
      return row;
    });
    let last = -1;
    const apart = (tick) => position(tick) - last > 0.17 && ((last = position(tick)), true);
    const ticks = el("div", { class: "guess axis", "aria-hidden": "true" }, el("span", {}), el("span", { class: "track" },
      scale.ticks.filter(apart).map((tick) => el("i", { style: `--at:${position(tick).toFixed(4)}` }, tickText(tick)))), el("span", {}));
    const answer = el("div", { class: "answer", role: "status" });
    const showAnswer = () => {
      guess.revealed = true;
      reveal.hidden = true;
      board.classList.add("revealed");
      rows.forEach((row) => {
        row.input.disabled = true;
        row.tell();
      });
      answer.replaceChildren(el("p", { class: "score", tabindex: -1 }, score(rows)), ...paragraphs(entry.answer), ...paragraphs(`But: ${entry.caveat}`));
    };
    const reveal = el("button", { type: "button", class: "primary", onclick: () => {
      showAnswer();
      answer.querySelector(".score").focus();
    } }, "Show the answer");
    const board = el("section", { class: "card board" },
      el("h2", {}, entry.title),
      el("p", { class: "hint" }, `${entry.label}${entry.higherIsBetter === null ? "" : entry.higherIsBetter ? ": more is better" : ": less is better"}. `,
        "The first value is given. Move the others to where you expect them."),
      rows.map((row) => row.node), ticks, el("div", { class: "buttons" }, reveal), answer);
    const go = (by) => () => { location.hash = linkTo("explore", "questions", { n: number + by }); };
    const links = linksOf(entry);
    head.replaceChildren(
      el("p", { class: "kicker" }, `Question ${number} of ${story.length}: what do you expect?`),
      el("h1", {}, entry.question),
      ...paragraphs(entry.expect),
      board,
      el("p", { class: "try" }, "Try it: ", links.flatMap(([text, href], i) => [i ? " · " : "", el("a", { href }, text)])),
      el("div", { class: "buttons" },
        el("button", { type: "button", disabled: number === 1, onclick: go(-1) }, "← Previous question"),
        el("button", { type: "button", disabled: number === story.length, onclick: go(1) }, "Next question →")),
      reproduce("Figures and tables of the answer:"));
    head.lastChild.set(entry.run);
    if (guess.revealed) showAnswer();
  }
}

/** Where one can try what a question is about: its networks, their learning curves, its study. */
function linksOf({ study, networks }) {
  if (study) return [[`the trials of the study ${study}`, linkTo("explore", `studies/${study}`)]];
  const names = Object.keys(networks);
  const playable = names.filter((name) => DATA.networks[name].weights);
  const view = playable.length && VIEWS.find((each) => each.problem === problemOf(playable[0]));
  return [...(view ? view.links(playable).map(([text, href]) => [networks[text] ?? text, href]) : []),
    ["learning curves", linkTo("explore", "curves", { networks: names.map(inLink).join(",") })]];
}

/** Whether a guess is in the interval of the value, or close to it. */
const isClose = ({ input, from, to }) => input.value >= from - CLOSE && input.value <= to + CLOSE;

/** How many guesses are close to their values, and in how many pairs of values that can be told
    apart, because their intervals do not overlap, the guesses have the same order. */
function score(rows) {
  const apart = (a, b) => a.at !== b.at && (a.high < b.low || b.high < a.low);
  const pairs = rows.flatMap((a, i) => rows.slice(i + 1).filter((b) => apart(a, b)).map((b) => [a, b]));
  const right = pairs.filter(([a, b]) => (a.input.value - b.input.value) * (a.at - b.at) > 0).length;
  const guessed = rows.filter((row) => !row.given);
  const order = pairs.length
    ? `Your order is right for ${right} of the ${pairs.length} pairs whose intervals do not overlap.`
    : "All intervals overlap, so no order of these values is wrong.";
  const close = guessed.filter(isClose).length;
  return `${close} of ${guessed.length} guesses are close (✓): in the interval, or at most ${(100 * CLOSE) / STEPS}% of the scale beside it. ${order}`;
}

/* --- Learning curves ------------------------------------------------------------------------- */

const NONE = "none"; // in a link: no network is chosen

async function showCurves(root, _, params) {
  const all = Object.keys(DATA.networks);
  const problems = Object.keys(DATA.problems).filter((problem) => all.some((name) => problemOf(name) === problem));
  const asked = (params.networks ?? "").split(",").filter((each) => each && each !== NONE);
  const wanted = [...new Set(asked.map((each) => nameOfLink(each, all)).filter(Boolean))];
  let problem = wanted.length ? problemOf(wanted[0]) : problems[0];
  let chosen = wanted.filter((name) => problemOf(name) === problem);
  const others = asked.filter((each) => !chosen.includes(nameOfLink(each, all)));
  if (others.length) notice(`Not shown, because ${chosen.length ? `they are not networks of the same problem as ${chosen[0]}` : "there are no such networks"}: ${others.map(quote).join(", ")}.`);
  let metric = params.metric;
  let none = params.networks === NONE;
  const menu = el("select", { onchange: () => { problem = menu.value; chosen = []; none = false; metric = undefined; build(); } },
    problems.map((each) => el("option", { value: each }, DATA.problems[each].title.split(":")[0])));
  menu.value = problem;
  const metricMenu = el("select", { onchange: () => { metric = metricMenu.value; update(); } });
  const list = el("fieldset", { class: "networks" });
  const box = el("div", { class: "plot-box" });
  const table = el("div", { class: "table-box" });
  const hint = el("p", { class: "hint" });
  const line = reproduce("The same curves as files and figures:");
  root.append(
    el("h1", {}, "How do networks learn?"),
    el("div", { class: "bar" }, field("Problem", menu), field("Metric", metricMenu)),
    el("div", { class: "stage curves" }, el("section", { class: "card" }, box, hint), list),
    el("details", {}, el("summary", {}, "Final values as a table"), table), line);
  let series = [];
  const redraw = responsive(box, (width) => {
    if (!series.length) return el("p", { class: "empty" }, "Choose networks to show their learning curves.");
    const references = series.length && series.every((each) => JSON.stringify(each.references) === JSON.stringify(series[0].references)) ? series[0].references : {};
    const described = DATA.problems[problem].metrics[metric];
    return curvePlot({ width, height: Math.max(300, Math.min(520, width * 0.55)), series, metric: described, references, xLabel: "training sequences seen",
      title: `${described.label} of ${series.map((each) => each.name).join(", ")} by training sequences seen` });
  });

  async function build() {
    const names = all.filter((name) => problemOf(name) === problem);
    const loaded = new Map(await Promise.all(names.map(async (name) => [name, await loadCurves(name)])));
    const metricsOf = (name) => Object.keys(loaded.get(name)).filter((key) => key !== "sequences");
    const metrics = [...new Set(names.flatMap(metricsOf))];
    if (!metrics.includes(metric)) {
      const first = chosen[0] ?? names[0];
      const usual = metricsOf(first)[0];
      if (metric) notice(`${quote(metric)} is no metric of these curves; this is ${usual}.`);
      metric = usual;
    }
    metricMenu.replaceChildren(...metrics.map((each) => el("option", { value: each }, DATA.problems[problem].metrics[each].label)));
    if (!chosen.length && !none) chosen = names.filter((name) => metricsOf(name).includes(metric)).slice(0, 2);
    const groups = new Map();
    for (const name of names) groups.set(name.split("/")[0], [...(groups.get(name.split("/")[0]) ?? []), name]);
    const toggle = (name, on) => {
      chosen = on ? [...chosen, name] : chosen.filter((other) => other !== name);
      update();
    };
    list.replaceChildren(el("legend", {}, "Networks"), ...[...groups].map(([experiment, members]) => {
      const check = (name) => el("label", { "data-name": name }, el("input", { type: "checkbox", value: name, onchange: (event) => toggle(name, event.target.checked) }), el("span", {}, name.split("/").pop()));
      if (members.length === 1) return check(members[0]);
      return el("details", { open: members.some((name) => chosen.includes(name)) }, el("summary", {}, experiment), members.map(check));
    }));
    build.loaded = loaded;
    update();
  }

  function update() {
    metricMenu.value = metric;
    const shown = chosen.filter((name) => build.loaded.get(name)[metric]);
    const without = chosen.filter((name) => !build.loaded.get(name)[metric]);
    series = shown.map((name, i) => ({ name, sequences: build.loaded.get(name).sequences, ...build.loaded.get(name)[metric], color: colorClass(i) }));
    for (const label of list.querySelectorAll("label")) {
      const at = shown.indexOf(label.dataset.name);
      label.className = at < 0 ? "" : colorClass(at);
      label.firstChild.checked = chosen.includes(label.dataset.name);
      label.classList.toggle("missing", !build.loaded.get(label.dataset.name)[metric]);
    }
    hint.textContent = `${DATA.problems[problem].metrics[metric].meaning[0].toUpperCase()}${DATA.problems[problem].metrics[metric].meaning.slice(1)}. These curves are of validation data instead: lines are medians of the replicas, bands their middle 80%.` +
      (without.length ? ` ${without.join(", ")} ${without.length > 1 ? "have" : "has"} no curve of this metric.` : "");
    table.replaceChildren(el("table", {},
      el("thead", {}, el("tr", {}, ["network", "sequences seen", "median", "10% to 90%", "test: mean [interval]"].map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, series.map((each) => {
        const final = DATA.networks[each.name].metrics[metric];
        return el("tr", {}, el("th", { scope: "row" }, each.name), el("td", {}, formatNumber(each.sequences.at(-1))), el("td", {}, formatNumber(each.median.at(-1))),
          el("td", {}, `${formatNumber(each.low.at(-1))} to ${formatNumber(each.high.at(-1))}`),
          el("td", {}, final ? `${formatNumber(final[0])}${final[1] === null ? "" : ` [${formatNumber(final[1])}, ${formatNumber(final[2])}]`}` : "–"));
      }))));
    redraw();
    setLink("explore", "curves", { networks: chosen.map(inLink).join(",") || NONE, metric });
    const experiments = [...new Set(chosen.map((name) => name.split("/")[0]))];
    line.hidden = !experiments.length;
    if (experiments.length) line.set(`dvc repro ${experiments.map((name) => `figures@${name}`).join(" ")}`);
  }

  await build();
}

/* --- Studies --------------------------------------------------------------------------------- */

/** The plots that suit a study, by name: functions from (study, metric, width, selected) to an
    element whose parts with `data-trial` can be clicked. */
function suitablePlots(study) {
  const lists = study.dimensions.filter((dimension) => dimension.choices);
  const plots = {};
  if (Object.keys(study.objectives).length > 1) plots["Pareto front"] = paretoPlot;
  if (lists.length === study.dimensions.length && lists.length <= 2 && lists.some((each) => each.numeric)) plots["Curves"] = dimensionPlot;
  if (lists.length === study.dimensions.length && lists.length === 2) plots["Heat map"] = gridPlot;
  if (!Object.keys(plots).length) plots["Parallel coordinates"] = parallelPlot;
  return plots;
}

async function showStudies(root, name, params) {
  const studies = DATA.studies.map((each) => each.name);
  const wanted = choiceOr(name, studies, studies[0], "study of this page");
  const entry = DATA.studies.find((each) => each.name === wanted);
  const study = await loadJson(`study:${entry.name}`);
  if (!root.isConnected) return;
  const described = DATA.problems[study.problem].metrics;
  const plots = suitablePlots(study);
  let plot = choiceOr(params.plot, Object.keys(plots), Object.keys(plots)[0], "plot of this study");
  let metric = choiceOr(params.metric, study.measured, Object.keys(study.objectives)[0], "metric of this study");
  const numbersOf = study.trials.map((trial) => trial.number);
  const best = study.best[0] ?? numbersOf[0]; // if no trial is eligible, none is best
  let selected = Number(choiceOr(params.trial, numbersOf.map(String), String(best), "trial of this study"));
  const menu = el("select", { onchange: () => { location.hash = linkTo("explore", `studies/${menu.value}`); } },
    DATA.studies.map((each) => el("option", { value: each.name }, each.name)));
  menu.value = entry.name;
  const kind = el("div", { class: "buttons segmented", role: "group", "aria-label": "Plot" }, Object.keys(plots).map((each) =>
    el("button", { type: "button", onclick: () => { plot = each; update(); } }, each)));
  const metricMenu = el("select", { onchange: () => { metric = metricMenu.value; update(); } },
    study.measured.map((each) => el("option", { value: each }, described[each].label)));
  const metricField = field("Metric", metricMenu);
  const box = el("div", { class: "plot-box study-plot", tabindex: 0, role: "group", "aria-label": "Trials; arrow keys choose one" });
  const detail = el("section", { class: "card trial", "aria-live": "polite" });
  root.append(
    el("h1", {}, entry.question || entry.name),
    el("div", { class: "bar" }, field("Study", menu), metricField, kind),
    el("div", { class: "stage" }, el("section", { class: "card" }, box, el("p", { class: "hint" }, "Choose a trial to see its network. Arrow keys move to the next one.")), detail),
    entry.answer ? el("details", {}, el("summary", {}, "Answer"), paragraphs(entry.answer)) : "");
  const line = reproduce("The study in a terminal:");
  root.append(line);
  line.set(`pipeline study ${entry.name}`);
  const redraw = responsive(box, (width) => {
    queueMicrotask(() => keepInSight(box, box.querySelector("td.selected"))); // when it is in the box
    return plots[plot](study, metric, width, selected);
  });
  const select = (number) => { selected = number; update(); };
  box.addEventListener("click", (event) => {
    const target = event.target.closest("[data-trial]");
    if (target) select(Number(target.dataset.trial));
  });
  box.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowDown: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = nextTrial(box, selected, by);
    if (next !== undefined) select(Number(next));
  });

  function update() {
    metricMenu.value = metric;
    for (const button of kind.children) button.setAttribute("aria-pressed", String(button.textContent === plot));
    metricField.hidden = plot === "Pareto front"; // its axes are the objectives
    redraw();
    const trial = study.trials.find((each) => each.number === selected);
    const values = numbers();
    values.set([
      ...Object.entries(trial.point).map(([key, value]) => [words(key), typeof value === "number" ? formatNumber(value) : String(value)]),
      ["weights", trial.weights ? formatNumber(trial.weights) : "–"],
      ["state", trial.state],
    ]);
    const measured = el("table", {}, el("tbody", {}, Object.entries(trial.metrics).map(([key, [mean, low, high]]) =>
      el("tr", {}, el("th", { scope: "row" }, described[key].label), el("td", {}, `${formatNumber(mean)}${low === null ? "" : ` [${formatNumber(low)}, ${formatNumber(high)}]`}`)))));
    const curveBox = el("div", { class: "plot-box" });
    const drawing = trial.drawings[0];
    detail.replaceChildren(
      el("h2", {}, `Trial ${trial.number}`), values, measured,
      el("div", { class: "trial-parts" },
        drawing && DRAWINGS[study.problem] ? el("div", { class: "drawing" }, el("h3", {}, "At the end of its training"), DRAWINGS[study.problem](drawing)) : "",
        curveBox));
    const shown = trial.curves[metric] ? metric : Object.keys(trial.curves).find((key) => key !== "sequences");
    if (shown && trial.curves.sequences?.length > 1) {
      responsive(curveBox, (width) => curvePlot({ width: Math.min(width, px(520)), height: px(210), series: [{ name: "median", sequences: trial.curves.sequences, median: trial.curves[shown], color: "color-0" }],
        metric: described[shown] ?? { label: words(shown) }, xLabel: "training sequences seen", title: `Learning curve of trial ${trial.number}` }));
    } else curveBox.remove();
    setLink("explore", `studies/${entry.name}`, { trial: selected, metric: metric === Object.keys(study.objectives)[0] ? undefined : metric, plot: plot === Object.keys(plots)[0] ? undefined : plot });
    line.set(`pipeline study ${entry.name}`, `Trial ${trial.number} is a part of the study:`);
  }
  update();
}

/** The number of the trial that an arrow key leads to: in a table, of the cell in its direction;
    else of the next or the previous trial of the plot. */
function nextTrial(box, selected, [right, down]) {
  const cell = box.querySelector(`td[data-trial="${selected}"]`);
  if (cell) {
    const row = cell.closest("tbody").rows[cell.parentElement.sectionRowIndex + down];
    return row?.cells[cell.cellIndex + right]?.dataset.trial;
  }
  const shown = [...new Set([...box.querySelectorAll("[data-trial]")].map((node) => Number(node.dataset.trial)))];
  return right + down > 0
    ? Math.min(...shown.filter((number) => number > selected), Math.max(...shown))
    : Math.max(...shown.filter((number) => number < selected), Math.min(...shown));
}

/** Scroll a box sidewards until a cell of its table is seen. */
function keepInSight(box, cell) {
  if (!cell) return;
  const [inner, outer] = [cell.getBoundingClientRect(), box.getBoundingClientRect()];
  const start = outer.left + cell.parentElement.cells[0].offsetWidth; // the first column stays
  box.scrollLeft += Math.max(0, inner.right - outer.right) + Math.min(0, inner.left - start);
}

const trialTitle = (trial, metric) => `Trial ${trial.number}: ${Object.entries(trial.point).map(([key, value]) => `${words(key)} ${typeof value === "number" ? formatNumber(value) : value}`).join(", ")}${trial.metrics[metric] ? `; ${formatNumber(trial.metrics[metric][0])}` : ""}`;

/** The extent of values, with a margin. */
function extent(values, log) {
  const known = values.filter((value) => value !== null && Number.isFinite(value) && (!log || value > 0));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  if (log) return [low * 0.8, high * 1.25];
  const pad = 0.06 * (high - low || Math.abs(high) || 1);
  return [low - pad, high + pad];
}

function trialDot(trial, metric, x, y, color, selected) {
  const chosen = trial.number === selected;
  return el("g", { "data-trial": trial.number, class: `trial-dot${chosen ? " selected" : ""}` },
    el("circle", { cx: x, cy: y, r: 14, class: "reach" }),
    el("circle", { cx: x, cy: y, r: chosen ? 8 : 5.5, class: `dot ${color}` }),
    el("title", {}, trialTitle(trial, metric)));
}

/** The first two objectives of all trials, and the front of the best trials, which no other beats. */
function paretoPlot(study, metric, width, selected) {
  const [first, second] = Object.keys(study.objectives);
  const described = DATA.problems[study.problem].metrics;
  const trials = study.trials.filter((trial) => trial.metrics[first] && trial.metrics[second]);
  const value = (trial, key) => trial.metrics[key][0];
  const log = [second, first].map((key) => wantsLog(trials.map((trial) => value(trial, key)).filter((v) => v > 0), described[key].higherIsBetter));
  const shown = (v, isLog, values) => (isLog && v <= 0 ? Math.min(...values.filter((each) => each > 0)) * 0.8 : v);
  const xs = trials.map((trial) => value(trial, second));
  const ys = trials.map((trial) => value(trial, first));
  const [xLow, xHigh] = extent(xs, log[0]);
  const [yLow, yHigh] = extent(ys, log[1]);
  const { svg, x, y } = frame({ width, height: Math.min(460, Math.max(320, width * 0.7)), x: { low: xLow, high: xHigh, log: log[0], label: described[second].label }, y: { low: yLow, high: yHigh, log: log[1], label: described[first].label }, title: `${described[first].label} against ${described[second].label} of ${trials.length} trials` });
  const front = trials.filter((trial) => study.best.includes(trial.number)).sort((a, b) => value(a, second) - value(b, second));
  const at = (trial) => [x(shown(value(trial, second), log[0], xs)), y(shown(value(trial, first), log[1], ys))];
  svg.append(el("path", { d: linePath(front.map((t) => at(t)[0]), front.map((t) => at(t)[1])), class: "reference front" }));
  const group = study.dimensions.find((dimension) => dimension.key === "variant")?.choices ?? [null];
  for (const trial of order(trials, selected)) svg.append(trialDot(trial, metric, ...at(trial), colorClass(Math.max(0, group.indexOf(trial.point.variant ?? null))), selected));
  return group.length > 1 ? withLegend(svg, group, "dots") : svg;
}

/** The selected trial last, so that it is over the others. */
function order(trials, selected) {
  return [...trials].sort((a, b) => (a.number === selected) - (b.number === selected));
}

function withLegend(svg, names, kind = "") {
  return el("div", {}, svg, el("ul", { class: `legend ${kind}` }, names.map((name, i) => el("li", { class: colorClass(i) }, String(name)))));
}

/** A metric along the longest numeric dimension, a line for each choice of the other one. */
function dimensionPlot(study, metric, width, selected) {
  const described = DATA.problems[study.problem].metrics[metric];
  const axis = study.dimensions.filter((each) => each.numeric).reduce((a, b) => (b.choices.length > a.choices.length ? b : a));
  const other = study.dimensions.find((each) => each !== axis);
  const trials = study.trials.filter((trial) => trial.metrics[metric]);
  const all = trials.flatMap((trial) => trial.metrics[metric]);
  const log = wantsLog(trials.map((trial) => trial.metrics[metric][0]), described.higherIsBetter);
  const [least, most] = [Math.min(...axis.choices), Math.max(...axis.choices)];
  const xLog = least > 0 && most > 8 * least;
  const sorted = [...axis.choices].sort((a, b) => a - b);
  const even = !xLog && sorted.some((choice, i) => i && choice - sorted[i - 1] < 0.02 * (most - least)); // else they overlap
  const place = (choice) => (even ? sorted.indexOf(choice) : choice);
  const [xLow, xHigh] = xLog ? [least * 0.85, most * 1.18] : extent(axis.choices.map(place));
  let [low, high] = extent(all, log);
  if (described.higherIsBetter && trials.every((trial) => trial.metrics[metric][0] <= 1)) { // a share
    [low, high] = [Math.max(low, 0), Math.min(high, 1.02)];
  }
  const { svg, x, y, inner } = frame({ width, height: Math.min(460, Math.max(320, width * 0.62)), x: { low: xLow, high: xHigh, log: xLog, ticks: axis.choices.map(place), text: even ? (tick) => tickText(sorted[tick]) : tickText, label: `${words(axis.key)}${even ? ", evenly spaced" : ""}` }, y: { low, high, log, label: described.label }, title: `${described.label} by ${words(axis.key)}` });
  const clamp = (v) => Math.min(Math.max(y(v), inner.top), inner.bottom);
  const groups = other ? other.choices : [null];
  const dots = [];
  groups.forEach((choice, i) => {
    const own = trials.filter((trial) => !other || trial.point[other.key] === choice).sort((a, b) => a.point[axis.key] - b.point[axis.key]);
    const xs = own.map((trial) => x(place(trial.point[axis.key])));
    const values = own.map((trial) => trial.metrics[metric]);
    svg.append(el("path", { d: bandPath(xs, values.map(([mean, from]) => clamp(from ?? mean)), values.map(([mean, , to]) => clamp(to ?? mean))), class: `band ${colorClass(i)}` }),
      el("path", { d: linePath(xs, values.map(([mean]) => clamp(mean))), class: `line ${colorClass(i)}` }));
    own.forEach((trial, k) => dots.push([trial, trialDot(trial, metric, xs[k], clamp(values[k][0]), colorClass(i), selected)]));
  });
  svg.append(...dots.sort((a, b) => (a[0].number === selected) - (b[0].number === selected)).map(([, dot]) => dot));
  return other ? withLegend(svg, groups.map((choice) => (other.numeric ? `${words(other.key)} ${choice}` : choice))) : svg;
}

/** A metric as colored cells over two dimensions. */
function gridPlot(study, metric, width, selected) {
  const described = DATA.problems[study.problem].metrics[metric];
  const [a, b] = study.dimensions;
  const [rows, columns] = b.choices.length >= a.choices.length || !a.numeric ? [a, b] : [b, a];
  const values = study.trials.map((trial) => trial.metrics[metric]?.[0]).filter((value) => value !== undefined);
  const log = wantsLog(values, described.higherIsBetter);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const share = (value) => (high === low ? 0.5 : log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));
  const isShare = described.higherIsBetter && high <= 1;
  const byPoint = (row, column) => study.trials.find((trial) => trial.point[rows.key] === row && trial.point[columns.key] === column);
  const [factor, unit] = isShare ? [100, ", in %"] : high < 0.1 ? [1000, ", in thousandths"] : [1, ""];
  const text = (value) => formatNumber(factor * value, isShare && value >= 0.995 ? 3 : 2);
  return el("table", { class: "grid-plot" },
    el("caption", {}, `${described.label}${unit}; rows: ${words(rows.key)}, columns: ${words(columns.key)}`,
      el("span", { class: "key" }, text(low), el("i", {}), text(high), values.length < study.trials.length ? [el("i", { class: "none" }), "no value"] : [])),
    el("thead", {}, el("tr", {}, el("td"), columns.choices.map((column) => el("th", { scope: "col" }, String(column))))),
    el("tbody", {}, rows.choices.map((row) => el("tr", {}, el("th", { scope: "row" }, String(row)), columns.choices.map((column) => {
      const trial = byPoint(row, column);
      const value = trial?.metrics[metric]?.[0];
      return el("td", { "data-trial": trial?.number, class: `${trial?.number === selected ? "selected" : ""}${value === undefined ? " none" : ""}`, style: value === undefined ? null : `--share:${share(value).toFixed(3)}`, title: trial ? trialTitle(trial, metric) : null },
        value === undefined ? "–" : text(value));
    })))));
}

/** A line for each trial through its parameters and its metric. */
function parallelPlot(study, metric, width, selected) {
  const described = DATA.problems[study.problem].metrics[metric];
  const height = px(380);
  const edge = { left: px(30), right: px(52), top: px(26), bottom: px(44) };
  const trials = study.trials.filter((trial) => trial.metrics[metric]);
  const values = trials.map((trial) => trial.metrics[metric][0]);
  const metricLog = wantsLog(values, described.higherIsBetter);
  const axes = study.dimensions.map((dimension) => {
    if (dimension.choices && !dimension.numeric) {
      return { label: words(dimension.key), choices: dimension.choices, of: (trial) => dimension.choices.indexOf(trial.point[dimension.key]), low: -0.3, high: dimension.choices.length - 0.7, log: false };
    }
    const all = dimension.choices ?? [dimension.low, dimension.high];
    const log = dimension.log || (dimension.choices && Math.min(...all) > 0 && Math.max(...all) >= 8 * Math.min(...all));
    return { label: words(dimension.key), of: (trial) => trial.point[dimension.key], low: Math.min(...all), high: Math.max(...all), log, ticks: dimension.choices };
  });
  const [low, high] = [Math.min(...values), Math.max(...values)];
  axes.push({ label: described.label.split(" (")[0], of: (trial) => trial.metrics[metric][0], low, high, log: metricLog });
  const svg = el("svg", { width, height, viewBox: `0 0 ${width} ${height}`, class: "plot parallel", role: "img", "aria-label": `${trials.length} trials as lines through their parameters and their ${described.label}` });
  const place = (i) => edge.left + (i / (axes.length - 1)) * (width - edge.left - edge.right);
  const scales = axes.map((axis) => makeScale(axis.low, axis.high, height - edge.bottom, edge.top, axis.log));
  const rank = (trial) => {
    const share = (scales.at(-1)(trial.metrics[metric][0]) - edge.top) / (height - edge.top - edge.bottom); // 0: largest
    return described.higherIsBetter ? 1 - share : share;
  };
  for (const trial of order([...trials].sort((a, b) => rank(a) - rank(b)), selected)) {
    const points = axes.map((axis, i) => `${place(i).toFixed(1)} ${scales[i](axis.of(trial)).toFixed(1)}`);
    svg.append(el("g", { "data-trial": trial.number, class: trial.number === selected ? "strand selected" : "strand" },
      el("path", { d: `M${points.join("L")}`, class: "reach" }),
      el("path", { d: `M${points.join("L")}`, class: "thread", style: `--rank:${Math.max(0, rank(trial)).toFixed(3)}` }),
      el("title", {}, trialTitle(trial, metric))));
  }
  axes.forEach((axis, i) => {
    const ticks = axis.choices ? axis.choices.map((_, k) => k) : axis.ticks ?? scales[i].ticks;
    svg.append(el("line", { x1: place(i), x2: place(i), y1: edge.top, y2: height - edge.bottom, class: "axis" }),
      ...ticks.map((tick) => el("text", { x: place(i) + px(6), y: scales[i](tick) + px(4), class: "halo" }, axis.choices ? axis.choices[tick] : tickText(tick))),
      el("text", { x: place(i), y: height - px(axes.length > 4 && width < 480 && i % 2 ? 4 : 20), "text-anchor": i === 0 ? "start" : i === axes.length - 1 ? "end" : "middle", dx: px(i === 0 ? -24 : i === axes.length - 1 ? 44 : 0), class: "label" }, axis.label));
  });
  return svg;
}
