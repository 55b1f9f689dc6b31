/* The frame of the page: its menu, its theme, and the view that the address names. */

function showView() {
  const { view, path, params } = readLink();
  const shown = VIEWS.filter((each) => each.available());
  const chosen = shown.find((each) => each.id === view) ?? shown[0];
  clearTimeout(linkTimer);
  for (const stop of cleanups.splice(0)) stop();
  document.getElementById("views").replaceChildren(
    ...shown.map((each) =>
      el("a", { href: `#${each.id}`, "aria-current": each === chosen ? "page" : undefined }, each.title)),
  );
  const main = document.getElementById("main");
  main.replaceChildren();
  if (DATA.scale !== 1) main.append(el("p", { class: "quick" }, `A quick look: the networks were trained on ${formatPercent(DATA.scale)} of the data.`));
  main.className = `view-${chosen.id}`;
  document.title = `${chosen.title} · LSTM laboratory`;
  return chosen.show(main, path, params);
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.getElementById("theme").textContent = theme === "dark" ? "Light" : "Dark";
  document.getElementById("theme").setAttribute("aria-label", `${theme === "dark" ? "Light" : "Dark"} colors`);
  for (const canvas of document.querySelectorAll("canvas.heat")) canvas.paint?.();
}

document.getElementById("theme").addEventListener("click", () =>
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
setTheme(dark.matches ? "dark" : "light");
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // addresses with # are links to views
  document.getElementById("main").focus();
});
addEventListener("hashchange", () => {
  showView();
  document.getElementById("main").focus({ preventScroll: true });
});

/** For the browser's console: `await laboratory.sample("star/tokens", {seed: 5})`. */
window.laboratory = Object.fromEntries(
  ["predict", "sample"].map((what) => [what, async (network, input = {}, step = undefined) => {
    const { settings, steps } = DATA.networks[network];
    const weights = (await loadWeights(network)).get(step ?? steps.at(-1));
    return RUNNERS[problemOf(network)][what](settings, weights, input);
  }]),
);
window.laboratory.networks = DATA.networks;

showView();
