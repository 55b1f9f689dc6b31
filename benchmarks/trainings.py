"""Trainings by all contestants: of experiment `rectangle`, and of `echo-partial`."""

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import contest, tasks
from benchmarks.arithmetic import flops, matrix_products
from benchmarks.contestants import ENTRIES, OURS
from benchmarks.options import Goal, Options, Tables, format_duration, format_ratio
from pipeline import plotting, schema
from pipeline.params.load import load_params
from pipeline.utils import paths

REPLICAS = (1, 8, 32, 128)
REFERENCE_REPLICAS = 32  # whose losses are compared
SINGLE = ("keras-fit", "keras-batch", "keras-steps", "keras-jax", "torch", "torch-compile")
"""Contestants that train one network only."""

LOWER_BOUNDS = ("c", "c-least", "products")
COLORS = {OURS: plotting.BLUE, "jax": plotting.ORANGE}
ECHO_UPDATES = 600
ECHO_SEEDS = 3  # replicas whose spread a loss may differ by


def measure_fit(options: Options, print_status: Callable[[str], None]) -> Tables:
    """Experiment `rectangle`: 25,000 updates of one rectangle each, by one network and by many."""
    config = load_params(paths.params()).config("rectangle")
    tasks_by_replicas = {count: tasks.make(_replicas(config, count), 25000) for count in REPLICAS}
    settings = {
        f"{count} replica{'s' * (count > 1)}": (
            task,
            (*SINGLE, "jax", OURS, "c", "c-least") if count == 1 else ("jax", OURS),
        )
        for count, task in tasks_by_replicas.items()
    }
    reference = tasks_by_replicas[REFERENCE_REPLICAS]
    return {"fit": contest.run(settings, reference, options.repetitions, print_status)}


def measure_echo(options: Options, print_status: Callable[[str], None]) -> Tables:
    """Experiment `echo-partial`: an encoder-decoder of 150 cells, 21 windows per update."""
    config = load_params(paths.params()).config("echo-partial")
    task = tasks.make(_replicas(config, 1), ECHO_UPDATES)
    reference = tasks.make(_replicas(config, ECHO_SEEDS), ECHO_UPDATES)
    settings = {"1 replica": (task, (*SINGLE, "jax", OURS, "products"))}
    table = contest.run(settings, reference, options.repetitions, print_status)
    experiment = config.experiment
    products = matrix_products(
        task.batch,
        experiment.framing.window,
        experiment.framing.echo,
        experiment.model.cells,
        config.dataset.classes,
    )
    table["gflops"] = flops(products) / table["median_us"] / 1e3
    return {"echo": table}


def draw_fit(tables: Tables) -> dict[str, Figure]:
    """Plot all contestants for one network, then this project and JAX for several replicas."""
    table = tables["fit"]
    figure = plotting.plt.figure(figsize=(13, 4.8))
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    _plot_contestants(left, table[table["replicas"] == 1])
    left.set_title("One network")
    for contestant in ("jax", OURS):
        rows = table[table["contestant"] == contestant].sort_values("replicas")
        _plot_replicas(right, rows, ENTRIES[contestant].label, COLORS[contestant])
    for contestant, line in (("c", "--"), ("c-least", ":")):
        bound = _median(table, contestant)
        label = f"{ENTRIES[contestant].label}, one network"
        right.axhline(bound, color=plotting.GRAY, linestyle=line, linewidth=1.4, label=label)
    right.set(
        xscale="log",
        yscale="log",
        xlabel="replicas trained side by side",
        ylabel="µs per update and replica",
        title="Replicas side by side",
    )
    right.set_xticks(REPLICAS, [str(count) for count in REPLICAS])
    right.set_ylim(top=3 * right.get_ylim()[1])  # space for the legend
    plotting.plain_log_ticks(right.yaxis)
    right.xaxis.minorticks_off()
    right.legend(fontsize=9, loc="upper right")
    return {"fit": figure}


def draw_echo(tables: Tables) -> dict[str, Figure]:
    """Plot all contestants, and the matrix products alone."""
    figure = plotting.plt.figure(figsize=(8, 4.2))
    axes = figure.subplots()
    _plot_contestants(axes, tables["echo"])
    figure.suptitle("Encoder-decoder: 150 cells, 21 windows per update", fontsize=12)
    return {"echo": figure}


def goals_fit(tables: Tables) -> list[Goal]:
    """The goals of the rectangle network."""
    table = tables["fit"]
    ours, jax = (_median(table, contestant) for contestant in (OURS, "jax"))
    ours32, jax32 = (_median(table, contestant, 32) for contestant in (OURS, "jax"))
    fit, c, least = (_median(table, contestant) for contestant in ("keras-fit", "c", "c-least"))

    def against_c(duration: float) -> str:
        all_weights, some = format_ratio(duration / c), format_ratio(duration / least)
        return f"{all_weights} (all weights); {some} (only weights with a gradient)"

    return [
        Goal(
            "rectangle, one replica: at least 5,000 times faster than a `fit` call per rectangle",
            f"{format_ratio(fit / ours)}: {format_duration(ours)} against {format_duration(fit)}",
            fit >= 5000 * ours,
        ),
        Goal(
            "rectangle, one replica: no slower than JAX `scan`",
            _compare(table, "jax"),
            ours <= jax,
        ),
        Goal(
            "rectangle, one replica: at most 4 times the C program's time",
            against_c(ours),
            ours <= 4 * c,
        ),
        Goal(
            "rectangle, 32 replicas: no slower than JAX `vmap`",
            _compare(table, "jax", 32),
            ours32 <= jax32,
        ),
        Goal(
            "rectangle, 32 replicas: each at most 1.5 times the C program's time for one network",
            against_c(ours32),
            ours32 <= 1.5 * c,
        ),
    ]


def goals_echo(tables: Tables) -> list[Goal]:
    """The goals of the encoder-decoder."""
    table = tables["echo"]
    ours, bound = (_median(table, contestant) for contestant in (OURS, "products"))
    torch = min(("torch", "torch-compile"), key=lambda contestant: _median(table, contestant))
    rate = table.set_index("contestant")["gflops"]
    return [
        Goal(
            f"encoder-decoder: at least as fast as {name}",
            _compare(table, other),
            ours <= _median(table, other),
        )
        for name, other in (("JAX", "jax"), ("PyTorch", torch))
    ] + [
        Goal(
            "encoder-decoder: at least half the machine's rate for these matrix products",
            f"{bound / ours:.0%}: {rate[OURS]:.0f} of {rate['products']:.0f} GFLOP/s",
            2 * bound >= ours,
        )
    ]


def check_losses(table: pd.DataFrame) -> list[str]:
    """Return a message for each contestant that did not reach this project's loss."""
    return [
        f"{row.contestant}, {row.setting}: held-out loss must be within {row.allowed:.5f} of this "
        f"project's {row.laboratory_loss:.5f}, got {row.loss:.5f}"
        for row in table.itertuples()
        if getattr(row, "right", "yes") == "no"  # only tables of losses have it
    ]


def _replicas(config: schema.RunConfig, count: int) -> schema.RunConfig:
    return tasks.changed(config, {"training": {"replicas": count}})


def _median(table: pd.DataFrame, contestant: str, replicas: int = 1) -> float:
    """Return the microseconds per update and replica."""
    rows = table[(table["contestant"] == contestant) & (table["replicas"] == replicas)]
    return float(rows["median_us"].iloc[0])


def _compare(table: pd.DataFrame, other: str, replicas: int = 1) -> str:
    """Say how much faster this project is than another contestant.

    They cannot be told apart if the median of each is within the range of the other's repetitions.
    """
    rows = table[table["replicas"] == replicas].set_index("contestant")
    ours, theirs = rows.loc[OURS], rows.loc[other]
    durations = f"{format_duration(ours.median_us)} against {format_duration(theirs.median_us)}"
    if all(a.min_us <= b.median_us <= a.max_us for a, b in ((ours, theirs), (theirs, ours))):
        return f"no difference found: {durations}"
    return f"{theirs.median_us / ours.median_us:.2f} times as fast: {durations}"


def _plot_contestants(axes: Axes, table: pd.DataFrame) -> None:
    """Plot a point for each contestant, slowest at the top, with its range as a whisker."""
    rows = table.sort_values("median_us")
    for y, row in enumerate(rows.itertuples()):
        bound = row.contestant in LOWER_BOUNDS
        color = plotting.BLACK if bound else COLORS.get(row.contestant, plotting.SKY)
        whisker = [[row.median_us - row.min_us], [row.max_us - row.median_us]]
        marker = {"marker": "D" if bound else "o", "markersize": 8, "color": color}
        axes.errorbar(row.median_us, y, xerr=whisker, capsize=3, **marker)
        sample = " (sample)" if row.how.startswith("sample") else ""
        axes.annotate(
            format_duration(row.median_us) + sample,
            (row.max_us, y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    labels = [ENTRIES[contestant].label for contestant in rows["contestant"]]
    axes.set_yticks(range(len(rows)), labels)
    axes.set(xscale="log", xlabel="time per update (log scale; whiskers from fastest to slowest)")
    lowest, highest = rows["min_us"].min(), rows["max_us"].max()
    axes.set_xlim(lowest / 2, highest * (highest / lowest) ** 0.3)
    steps = (1, 2, 5) if highest < 100 * lowest else (1,)
    ticks = [step * 10.0**power for power in range(-1, 7) for step in steps]
    ticks = [tick for tick in ticks if lowest / 2 <= tick <= 1.5 * highest]
    axes.set_xticks(ticks, [format_duration(tick) for tick in ticks])
    axes.minorticks_off()


def _plot_replicas(axes: Axes, rows: pd.DataFrame, label: str, color: str) -> None:
    """Plot medians against replicas, with bars from the fastest to the slowest repetition."""
    low, high = rows["median_us"] - rows["min_us"], rows["max_us"] - rows["median_us"]
    axes.errorbar(
        rows["replicas"],
        rows["median_us"],
        yerr=[low, high],
        color=color,
        label=label,
        capsize=3,
        marker="o",
        markersize=5,
    )
