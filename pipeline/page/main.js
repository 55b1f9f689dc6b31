/* The frame of the page: its menu, its theme, and the view that the address names. */

const left = new Map(); // the last link of each view that was left, by its id

function showView() {
  const { view, path, params } = readLink();
  const shown = VIEWS.filter((each) => each.available());
  clearTimeout(linkTimer);
  for (const stop of cleanups.splice(0)) stop();
  const main = document.getElementById("main");
  main.replaceChildren();
  const id = choiceOr(view, shown.map((each) => each.id), shown[0].id, "view of this page");
  const chosen = shown.find((each) => each.id === id);
  document.getElementById("views").replaceChildren(
    ...shown.map((each) =>
      el("a", { href: (each !== chosen && left.get(each.id)) || `#${each.id}`, "aria-current": each === chosen ? "page" : undefined }, each.title)),
  );
  if (DATA.scale !== 1) main.append(el("p", { class: "quick" }, `A quick look: the networks were trained on ${formatPercent(DATA.scale)} of the data.`));
  main.className = `view-${chosen.id}`;
  document.title = `${chosen.title} · LSTM laboratory`;
  return chosen.show(main, path, params);
}

const store = { // what the browser keeps of the page, if it may
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* it may not */ } },
};

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.getElementById("theme").textContent = theme === "dark" ? "Light" : "Dark";
  document.getElementById("theme").setAttribute("aria-label", `${theme === "dark" ? "Light" : "Dark"} colors`);
  for (const canvas of document.querySelectorAll("canvas.heat")) canvas.paint?.();
}

document.getElementById("theme").addEventListener("click", () => {
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  store.set("theme", document.documentElement.dataset.theme);
});
const dark = matchMedia("(prefers-color-scheme: dark)");
const usualTheme = () => setTheme(store.get("theme") ?? (dark.matches ? "dark" : "light"));
dark.addEventListener("change", usualTheme);
usualTheme();
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // addresses with # are links to views
  document.getElementById("main").focus();
});
addEventListener("hashchange", ({ oldURL }) => {
  const { hash } = new URL(oldURL);
  left.set(hash.slice(1).split(/[/?]/)[0], hash);
  const labelOf = (field) => field.querySelector("label").firstChild.textContent;
  const used = document.activeElement.closest(".field"); // by the keyboard, perhaps: it stays there
  const label = used && labelOf(used);
  showView();
  const same = used && [...document.querySelectorAll(".field")].find((each) => labelOf(each) === label);
  (same?.querySelector("select, input") ?? document.getElementById("main")).focus({ preventScroll: true });
});

/** For the browser's console: `await laboratory.sample("star/tokens", {seed: 5})`. */
window.laboratory = Object.fromEntries(
  ["predict", "sample"].map((what) => [what, async (network, input = {}, step = undefined) => {
    if (!DATA.networks[network]?.weights) throw new Error(`${quote(network)} is no network that this page can run.`);
    const { settings, steps } = DATA.networks[network];
    const weights = (await loadWeights(network)).get(step ?? steps.at(-1));
    return RUNNERS[problemOf(network)][what](settings, weights, input);
  }]),
);
window.laboratory.networks = DATA.networks;

showView();
