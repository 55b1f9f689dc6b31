"""The two printed trainings, by everybody: the fit of chapter 11, and the encoder-decoder."""

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import contest, tasks
from benchmarks.arithmetic import flops, products
from benchmarks.contestants import ENTRIES, OURS
from benchmarks.options import Goal, Options, Tables, micro, times
from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.utils import paths

REPLICAS = (1, 8, 32, 128)
REFERENCE = 32  # replicas that the losses are compared on
ALONE = ("keras-fit", "keras-batch", "keras-steps", "torch", "torch-compile")
FLOORS = ("c", "c-least", "products")
COLORS = {OURS: plotting.BLUE, "jax": plotting.ORANGE}
ECHO_UPDATES = 600
ECHO_SEEDS = 3  # replicas whose spread a loss may differ by


def measure_fit(options: Options, print_status: Callable[[str], None]) -> Tables:
    """Experiment `rectangle`: 25,000 updates of one rectangle, by one network and many."""
    config = load_params(paths.params()).config("rectangle")
    made = {count: tasks.make(_replicas(config, count), 25000) for count in REPLICAS}
    settings = {
        f"{count} replica{'s' * (count > 1)}": (
            task,
            (*ALONE, "jax", OURS, "c", "c-least") if count == 1 else ("jax", OURS),
        )
        for count, task in made.items()
    }
    return {"fit": contest.hold(settings, made[REFERENCE], options.repetitions, print_status)}


def measure_echo(options: Options, print_status: Callable[[str], None]) -> Tables:
    """Experiment `echo-partial`: an encoder-decoder of 150 cells, 21 windows in an update."""
    config = load_params(paths.params()).config("echo-partial")
    task = tasks.make(_replicas(config, 1), ECHO_UPDATES)
    several = tasks.make(_replicas(config, ECHO_SEEDS), ECHO_UPDATES)
    settings = {"1 replica": (task, (*ALONE, "jax", OURS, "products"))}
    table = contest.hold(settings, several, options.repetitions, print_status)
    experiment = config.experiment
    shapes = products(
        task.batch,
        experiment.framing.window,
        experiment.framing.echo,
        experiment.model.cells,
        config.dataset.classes,
    )
    table["gflops"] = flops(shapes) / table["median_us"] / 1e3
    return {"echo": table}


def draw_fit(tables: Tables) -> dict[str, Figure]:
    """Everybody with one network; then replicas side by side."""
    table = tables["fit"]
    figure = plotting.plt.figure(figsize=(13, 4.8))
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    _ladder(left, table[table["replicas"] == 1])
    left.set_title("One network")
    for who in ("jax", OURS):
        rows = table[table["contestant"] == who].sort_values("replicas")
        _range(right, rows, "replicas", ENTRIES[who].label, COLORS[who])
    for who, line in (("c", "--"), ("c-least", ":")):
        floor = _median(table, who)
        label = f"{ENTRIES[who].label}, one network"
        right.axhline(floor, color=plotting.GREY, linestyle=line, linewidth=1.4, label=label)
    right.set(
        xscale="log",
        yscale="log",
        xlabel="replicas trained side by side",
        ylabel="µs per update and replica",
        title="Replicas side by side",
    )
    right.set_xticks(REPLICAS, [str(count) for count in REPLICAS])
    right.set_ylim(top=3 * right.get_ylim()[1])  # room for the legend
    plotting.plain_log_ticks(right.yaxis)
    right.xaxis.minorticks_off()
    right.legend(fontsize=9, loc="upper right")
    return {"fit": figure}


def draw_echo(tables: Tables) -> dict[str, Figure]:
    """Everybody, and the matrix products alone."""
    figure = plotting.plt.figure(figsize=(8, 4.2))
    axes = figure.subplots()
    _ladder(axes, tables["echo"])
    figure.suptitle("The printed encoder-decoder: 150 cells, 21 windows in an update", fontsize=12)
    return {"echo": figure}


def goals_fit(tables: Tables) -> list[Goal]:
    """Those of the printed fit."""
    table = tables["fit"]
    ours, jax = (_median(table, who) for who in (OURS, "jax"))
    ours32, jax32 = (_median(table, who, 32) for who in (OURS, "jax"))
    fit, c, least = (_median(table, who) for who in ("keras-fit", "c", "c-least"))
    besides = f"; {times(ours / least)} what learns alone"
    besides32 = f"; {times(ours32 / least)} what learns alone"
    return [
        Goal(
            "printed fit, one replica: at least 5,000 times faster than a `fit` per rectangle",
            f"{times(fit / ours)}: {micro(ours)} against {micro(fit)}",
            fit >= 5000 * ours,
        ),
        Goal(
            "printed fit, one replica: no slower than JAX `scan`",
            f"{jax / ours:.2f} times as fast: {micro(ours)} against {micro(jax)}",
            ours <= jax,
        ),
        Goal(
            "printed fit, one replica: at most 4 times the C program's time",
            f"{times(ours / c)} all weights{besides}",
            ours <= 4 * c,
        ),
        Goal(
            "printed fit, 32 replicas: each at least 1.5 times as fast as with JAX `vmap`",
            f"{jax32 / ours32:.2f} times as fast: {micro(ours32)} against {micro(jax32)}",
            jax32 >= 1.5 * ours32,
        ),
        Goal(
            "printed fit, 32 replicas: each at most 1.5 times the C program's time for one network",
            f"{times(ours32 / c)} all weights{besides32}",
            ours32 <= 1.5 * c,
        ),
    ]


def goals_echo(tables: Tables) -> list[Goal]:
    """Those of the encoder-decoder."""
    table = tables["echo"]
    ours, jax, floor = (_median(table, who) for who in (OURS, "jax", "products"))
    torch = min(_median(table, who) for who in ("torch", "torch-compile"))
    rate = table.set_index("contestant")["gflops"]
    return [
        Goal(
            f"encoder-decoder: at least as fast as {name}",
            f"{peer / ours:.2f} times as fast: {micro(ours)} against {micro(peer)}",
            ours <= peer,
        )
        for name, peer in (("JAX", jax), ("PyTorch", torch))
    ] + [
        Goal(
            "encoder-decoder: at least half the machine's rate for these matrix products",
            f"{floor / ours:.0%}: {rate[OURS]:.0f} of {rate['products']:.0f} GFLOP/s",
            2 * floor >= ours,
        )
    ]


def wrong(table: pd.DataFrame) -> list[str]:
    """Contestants that did not reach the laboratory's loss."""
    return [
        f"{row.contestant}, {row.setting}: held-out loss {row.loss:.5f}, the laboratory's is "
        f"{row.laboratory_loss:.5f}, and they may differ by {row.allowed:.5f}"
        for row in table.itertuples()
        if row.right == "no"
    ]


def _replicas(config, count: int):
    return tasks.changed(config, {"training": {"replicas": count}})


def _median(table: pd.DataFrame, who: str, replicas: int = 1) -> float:
    """Microseconds of an update of each replica."""
    rows = table[(table["contestant"] == who) & (table["replicas"] == replicas)]
    return float(rows["median_us"].iloc[0])


def _ladder(axes: Axes, table: pd.DataFrame) -> None:
    """A point for each contestant, the slowest above, its range as a whisker."""
    rows = table.sort_values("median_us")
    for place, row in enumerate(rows.itertuples()):
        floor = row.contestant in FLOORS
        color = plotting.BLACK if floor else COLORS.get(row.contestant, plotting.SKY)
        whisker = [[row.median_us - row.min_us], [row.max_us - row.median_us]]
        marker = {"marker": "D" if floor else "o", "markersize": 8, "color": color}
        axes.errorbar(row.median_us, place, xerr=whisker, capsize=3, **marker)
        sample = " (sample)" if row.how.startswith("sample") else ""
        axes.annotate(
            micro(row.median_us) + sample,
            (row.max_us, place),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_yticks(range(len(rows)), [ENTRIES[who].label for who in rows["contestant"]])
    axes.set(xscale="log", xlabel="time per update (log scale; whiskers from fastest to slowest)")
    lowest, highest = rows["min_us"].min(), rows["max_us"].max()
    axes.set_xlim(lowest / 2, highest * (highest / lowest) ** 0.3)
    steps = (1, 2, 5) if highest < 100 * lowest else (1,)
    ticks = [step * 10.0**k for k in range(-1, 7) for step in steps]
    ticks = [tick for tick in ticks if lowest / 2 <= tick <= 1.5 * highest]
    axes.set_xticks(ticks, [micro(tick) for tick in ticks])
    axes.minorticks_off()


def _range(axes: Axes, rows: pd.DataFrame, x: str, label: str, color: str) -> None:
    """A line through medians, with a bar from the fastest to the slowest."""
    low, high = rows["median_us"] - rows["min_us"], rows["max_us"] - rows["median_us"]
    axes.errorbar(
        rows[x],
        rows["median_us"],
        yerr=[low, high],
        color=color,
        label=label,
        capsize=3,
        marker="o",
        markersize=5,
    )
