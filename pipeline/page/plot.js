/* Plots as SVG elements. Colors are classes of style.css, so that they follow the page's theme. */

const COLORS = 8; // classes color-0 … color-7; the line style changes after as many lines

/** Pixels in a plot: `size` if the page's text has 16 pixels, and in proportion to it else. */
const px = (size) => (size * parseFloat(getComputedStyle(document.documentElement).fontSize)) / 16;

/** The class of the n-th line or dot. */
function colorClass(index) {
  return `color-${index % COLORS} line-${Math.floor(index / COLORS) % 3}`;
}

/** A scale from values to pixels, with `ticks`. */
function makeScale(low, high, from, to, log = false) {
  if (log) {
    low = Math.max(low, Number.MIN_VALUE);
    if (low === high) [low, high] = [low / 2, high * 2];
    const [a, b] = [Math.log(low), Math.log(high)];
    const scale = (value) => from + ((Math.log(Math.max(value, low / 1e3)) - a) / (b - a)) * (to - from);
    scale.invert = (pixel) => Math.exp(a + ((pixel - from) / (to - from)) * (b - a));
    scale.ticks = logTicks(low, high, Math.abs(to - from));
    return Object.assign(scale, { low, high, log });
  }
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const scale = (value) => from + ((value - low) / (high - low)) * (to - from);
  scale.invert = (pixel) => low + ((pixel - from) / (to - from)) * (high - low);
  scale.ticks = linearTicks(low, high, Math.max(2, Math.abs(to - from) / 52));
  return Object.assign(scale, { low, high, log });
}

function linearTicks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) * power;
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

function logTicks(low, high, pixels) {
  const decades = Math.log10(high / low);
  const perDecade = pixels / decades;
  const factors = perDecade < 110 ? [1] : perDecade < 330 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
  const every = Math.max(1, Math.ceil((decades * 45) / pixels));
  const ticks = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
    if (e % every) continue;
    for (const factor of factors) {
      const tick = Number((factor * 10 ** e).toPrecision(6));
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks.length > 1 ? ticks : linearTicks(low, high, 3).filter((tick) => tick > 0);
}

/** A tick's number, short: 25,000 becomes 25k. */
function tickText(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${value / 1e6}M`;
  if (size >= 1e4) return `${value / 1e3}k`;
  return formatNumber(value, 4);
}

/** The frame of a plot: axes with ticks and labels; `x.text` names ticks. Returns {svg, x, y, inner}. */
function frame({ width, height, x, y, title, margin = {} }) {
  const edge = { right: 14, top: 12, bottom: 42, ...margin };
  const inner = { right: width - px(edge.right), top: px(edge.top), bottom: height - px(edge.bottom) };
  const yScale = makeScale(y.low, y.high, inner.bottom, inner.top, y.log);
  const longest = Math.max(...yScale.ticks.map((tick) => tickText(tick).length));
  inner.left = px((y.label ? 30 : 12) + 7 * longest);
  const xScale = makeScale(x.low, x.high, inner.left, inner.right, x.log);
  const svg = el("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title, class: "plot" });
  const axes = el("g", { class: "axes", "aria-hidden": "true" });
  for (const tick of yScale.ticks) {
    const at = yScale(tick);
    axes.append(
      el("line", { x1: inner.left, x2: inner.right, y1: at, y2: at, class: "grid" }),
      el("text", { x: inner.left - px(7), y: at + px(4), "text-anchor": "end" }, tickText(tick)),
    );
  }
  let lastEnd = -Infinity;
  for (const tick of x.ticks ?? xScale.ticks) {
    const at = xScale(tick);
    const text = (x.text ?? tickText)(tick);
    const half = px(3.6 * text.length);
    if (at - half < lastEnd) continue;
    lastEnd = at + half + px(6);
    axes.append(
      el("line", { x1: at, x2: at, y1: inner.bottom, y2: inner.bottom + 4, class: "tick" }),
      el("text", { x: at, y: inner.bottom + px(18), "text-anchor": "middle" }, text),
    );
  }
  axes.append(
    el("line", { x1: inner.left, x2: inner.right, y1: inner.bottom, y2: inner.bottom, class: "axis" }),
    el("text", { x: (inner.left + inner.right) / 2, y: height - 6, "text-anchor": "middle", class: "label" }, x.label),
  );
  if (y.label) {
    const middle = (inner.top + inner.bottom) / 2;
    axes.append(el("text", { transform: `translate(${px(13)} ${middle}) rotate(-90)`, "text-anchor": "middle", class: "label" }, y.label));
  }
  svg.append(axes);
  return { svg, x: xScale, y: yScale, inner };
}

/** The path through points, which is broken where a value is missing. */
function linePath(xs, ys) {
  let path = "";
  let pen = "M";
  xs.forEach((x, i) => {
    if (ys[i] === null || !Number.isFinite(ys[i])) pen = "M";
    else {
      path += `${pen}${x.toFixed(1)} ${ys[i].toFixed(1)}`;
      pen = "L";
    }
  });
  return path;
}

/** The closed path between two lines. */
function bandPath(xs, lows, highs) {
  const valid = xs.map((_, i) => i).filter((i) => lows[i] !== null && highs[i] !== null);
  if (valid.length < 2) return "";
  const up = valid.map((i) => `${xs[i].toFixed(1)} ${highs[i].toFixed(1)}`);
  const down = valid.reverse().map((i) => `${xs[i].toFixed(1)} ${lows[i].toFixed(1)}`);
  return `M${up.join("L")}L${down.join("L")}Z`;
}

/** Whether values are better shown on a logarithmic axis. */
function wantsLog(values, isShare) {
  const known = values.filter((value) => value !== null);
  const low = Math.min(...known);
  return !isShare && low > 0 && Math.max(...known) > 20 * low;
}

/** Learning curves.

    `series` are {name, sequences, median, low, high, color}; `references` {name: value}. The hidden
    cursor is set by `plot.setCursor(sequences)`; `onpick(sequences)` is called where the plot is
    clicked. */
function curvePlot({ width, height, series, metric, references = {}, xLabel, onpick, title }) {
  const all = series.flatMap((each) => [...each.median, ...(each.low ?? []), ...(each.high ?? [])]);
  const known = all.filter((value) => value !== null);
  const log = wantsLog(series.flatMap((each) => each.median), metric.higherIsBetter);
  const extra = Object.values(references).filter((value) => value !== null && (!log || value > 0));
  const values = [...known.filter((value) => !log || value > 0), ...extra];
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!log) {
    const pad = 0.04 * (high - low || 1);
    low = metric.higherIsBetter && low >= 0 ? Math.max(0, low - pad) : low - pad;
    high = metric.higherIsBetter && high <= 1 ? Math.min(1.001, high + pad) : high + pad;
  } else {
    [low, high] = [low * 0.93, high * 1.07];
  }
  const sequences = series.flatMap((each) => each.sequences);
  const plot = frame({
    width, height, title,
    x: { low: Math.max(1, Math.min(...sequences)), high: Math.max(...sequences, 2), log: true, label: xLabel },
    y: { low, high, log, label: metric.label },
  });
  const { svg, x, y, inner } = plot;
  const labels = [];
  let label = Infinity; // labels of close lines are above each other
  for (const [name, value] of Object.entries(references).sort(([, a], [, b]) => a - b)) {
    if (value === null || (log && value <= 0)) continue;
    label = Math.min(y(value) - px(5), label - px(13));
    svg.append(el("line", { x1: inner.left, x2: inner.right, y1: y(value), y2: y(value), class: "reference" }));
    labels.push(el("text", { x: inner.left + 6, y: label, class: "note halo" }, `${name} ${formatNumber(value)}`));
  }
  const clamp = (value) => (value === null ? null : Math.min(Math.max(y(value), inner.top), inner.bottom));
  series.forEach((each) => {
    const xs = each.sequences.map(x);
    if (each.low) {
      svg.append(el("path", { d: bandPath(xs, each.low.map(clamp), each.high.map(clamp)), class: `band ${each.color}` }));
    }
  });
  series.forEach((each) => {
    svg.append(el("path", { d: linePath(each.sequences.map(x), each.median.map(clamp)), class: `line ${each.color}` }));
  });
  svg.append(...labels); // over the curves, which may cross them
  const cursor = el("line", { y1: inner.top, y2: inner.bottom, class: "cursor", visibility: "hidden" });
  const dots = el("g", {});
  svg.append(cursor, dots);
  const place = (line, at) => {
    line.setAttribute("x1", at);
    line.setAttribute("x2", at);
    line.setAttribute("visibility", "visible");
  };
  svg.setCursor = (seen) => {
    place(cursor, x(Math.max(seen, x.low)));
    dots.replaceChildren(
      ...series.map((each) => {
        const value = each.median[nearestIndex(each.sequences, seen)];
        return value === null ? "" : el("circle", { cx: x(Math.max(seen, x.low)), cy: clamp(value), r: 4.5, class: `dot ${each.color}` });
      }),
    );
  };
  addHover(svg, plot, series, onpick);
  return svg;
}

function nearestIndex(values, wanted) {
  let best = 0;
  values.forEach((value, i) => {
    if (Math.abs(Math.log(value / wanted)) < Math.abs(Math.log(values[best] / wanted))) best = i;
  });
  return best;
}

/** A line under the mouse, with the values of all series there. */
function addHover(svg, { x, inner }, series, onpick) {
  const line = el("line", { y1: inner.top, y2: inner.bottom, class: "hover", visibility: "hidden" });
  const box = el("g", { class: "tip", visibility: "hidden", "aria-hidden": "true" });
  svg.append(line, box);
  const hide = () => [line, box].forEach((node) => node.setAttribute("visibility", "hidden"));
  const seenAt = (event) => {
    const { left, width } = svg.getBoundingClientRect();
    const pixel = ((event.clientX - left) / width) * svg.viewBox.baseVal.width;
    return pixel < inner.left - 8 || pixel > inner.right + 8 ? null : x.invert(Math.min(Math.max(pixel, inner.left), inner.right));
  };
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("pointermove", (event) => {
    const wanted = seenAt(event);
    if (wanted === null) return hide();
    const longest = series.reduce((a, b) => (b.sequences.length > a.sequences.length ? b : a));
    const seen = longest.sequences[nearestIndex(longest.sequences, wanted)];
    const rows = series
      .filter((each) => seen <= each.sequences.at(-1) * 1.3)
      .map((each) => {
        const i = nearestIndex(each.sequences, seen);
        const range = each.low ? ` [${formatNumber(each.low[i])}, ${formatNumber(each.high[i])}]` : "";
        return [each, each.median[i], range];
      })
      .sort((a, b) => (b[1] ?? -1) - (a[1] ?? -1));
    const left = rows.splice(inner.right - inner.left < 400 ? 4 : 12).length;
    const at = x(seen);
    for (const end of ["x1", "x2"]) line.setAttribute(end, at);
    const texts = [`after ${formatNumber(seen)}`, ...rows.map(([each, value, range]) => `${each.name}  ${formatNumber(value)}${rows.length === 1 ? range : ""}`),
      left ? `and ${left} lower ones` : ""].filter(Boolean);
    const [row, swatch] = [px(17), px(18)];
    const width = swatch + px(18 + 6.4 * Math.max(...texts.map((text) => text.length)));
    const start = at + 12 + width > inner.right ? Math.max(2, at - 12 - width) : at + 12;
    box.replaceChildren(
      el("rect", { x: start, y: inner.top, width, height: px(10) + row * texts.length, rx: 4 }),
      ...texts.map((text, i) => el("text", { x: start + px(8) + (rows[i - 1] ? swatch + px(6) : 0), y: inner.top + row * (i + 1) }, text)),
      ...rows.map(([each], i) => el("line", { x1: start + px(8), x2: start + px(8) + swatch, y1: inner.top + row * (i + 2) - px(4), y2: inner.top + row * (i + 2) - px(4), class: `line ${each.color}` })),
    );
    for (const node of [line, box]) node.setAttribute("visibility", "visible");
  });
  if (onpick) {
    svg.classList.add("pickable");
    svg.addEventListener("click", (event) => {
      const seen = seenAt(event);
      if (seen !== null) onpick(seen);
    });
  }
}

/** Bars of shares (n,) between two numbers, with a line for what is expected (n,). */
function histogramPlot({ width, height, shares, expected, low, high, label, title, mark, yLabel, color = 0 }) {
  const top = Math.max(...shares, ...(expected ?? []), 1e-9) * 1.08;
  const { svg, x, y, inner } = frame({
    width, height, title,
    x: { low, high, label },
    y: { low: 0, high: top, label: yLabel },
    margin: { bottom: 40 },
  });
  const size = (high - low) / shares.length;
  const gap = shares.length > 60 ? 0 : 1;
  const bars = shares.map((share, i) =>
    `M${x(low + i * size) + gap / 2} ${inner.bottom}V${y(share).toFixed(2)}H${x(low + (i + 1) * size) - gap / 2}V${inner.bottom}Z`);
  svg.append(el("path", { d: bars.join(""), class: `bars color-${color}` }));
  if (expected) {
    const line = expected.map((share, i) => `${i ? "L" : "M"}${x(low + i * size)} ${y(share)}H${x(low + (i + 1) * size)}`);
    svg.append(el("path", { d: line.join(""), class: "expected" }));
  }
  if (mark !== undefined && mark !== null) {
    const at = Math.min(Math.max(x(mark), inner.left), inner.right);
    svg.append(el("path", { d: `M${at} ${inner.top - 2}V${inner.bottom}`, class: "mark" }), el("circle", { cx: at, cy: inner.top, r: 4, class: "mark-end" }));
  }
  return svg;
}

/** A matrix as colored cells on a canvas; `rows` of numbers from -range to range, or from 0. */
function heatMap(rows, { range, signed, label, cellWidth = 16, cellHeight = 6 }) {
  const canvas = el("canvas", { role: "img", "aria-label": label, class: "heat", width: rows[0].length * cellWidth, height: rows.length * cellHeight });
  const context = canvas.getContext("2d");
  canvas.paint = () => {
    const style = getComputedStyle(document.documentElement);
    const [low, middle, high] = ["--heat-low", "--heat-middle", "--heat-high"].map((name) => hexToRgb(style.getPropertyValue(name)));
    rows.forEach((row, i) =>
      row.forEach((value, j) => {
        const share = Math.min(Math.abs(value) / range, 1);
        const end = signed && value < 0 ? low : high;
        const color = middle.map((from, k) => Math.round(from + share * (end[k] - from)));
        context.fillStyle = `rgb(${color})`;
        context.fillRect(j * cellWidth, i * cellHeight, cellWidth - (cellWidth > 8 ? 1 : 0), cellHeight);
      }));
  };
  canvas.paint();
  return canvas;
}

function hexToRgb(text) {
  const number = parseInt(text.trim().slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}
