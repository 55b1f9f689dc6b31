"""Writing reports/index.html."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.page import contents, hooks
from pipeline.page.blobs import pack_json, pack_weights
from pipeline.plotting import SETTINGS
from pipeline.problems.load import Problem
from pipeline.runs import checkpoint as checkpoints
from pipeline.runs.checkpoint import Checkpoint
from pipeline.schema.params import Params, get_entry
from pipeline.schema.report import Report
from pipeline.schema.variants import experiment_of
from pipeline.utils import files, paths, templates

LIMIT = 4_000_000
"""Bytes of the page. Networks that would make it larger are shown without their weights."""

SMALL = 64_000
"""Bytes of weights up to which all checkpoints of a network are on the page, not only the last."""

TAGS = 200
"""Bytes of the tags around what a network has in the page, at most."""

HERE = Path(__file__).parent
LIBRARY = ("base.js", "plot.js", "random.js", "network.js")
VIEWS = ("explore.js", "main.js")
"""Scripts in the order in which they run; those of problems come between the two groups."""


class Playable(NamedTuple):
    """A network that the page can run."""

    entry: dict[str, Any]  # what page.js gets
    blobs: dict[str, str]  # its weights, and what it drew during training


def write_page(
    path: Path, params: Params, report: Report, experiments: Sequence[str] = ()
) -> dict[str, int]:
    """Write the page; returns the bytes of its parts, and of each network that it can run.

    Args:
        path: the file to write.
        params: all parameters.
        report: texts, and the networks that are first in the menus.
        experiments: the experiments to show; default: all, and all studies.
    """
    for name in experiments:
        get_entry("experiment", name, params.experiments)
    shown = {
        name: v
        for name, v in params.experiments.items()
        if name in (experiments or params.experiments)
    }
    studies = [] if experiments else list(params.studies)
    networks = [network for entries in shown.values() for network in entries]
    index: dict[str, Any] = {
        "scale": params.scale,
        "words": SETTINGS,
        "experiments": [_experiment(name, params, report) for name in shown],
        "networks": {name: {"metrics": contents.metrics(name)} for name in networks},
        "studies": [
            {"name": name, **report.texts(name).model_dump(exclude={"evidence"})}
            for name in studies
        ],
        "story": contents.story(params, report, networks),
    }
    index["problems"] = _problems(params, shown, studies)
    blobs = {f"curves:{name}": _curves(name, entries) for name, entries in shown.items()}
    blobs |= {f"study:{name}": pack_json(contents.study(name, params, report)) for name in studies}
    used = list(index["problems"])
    free = LIMIT - len(render(index, blobs, used).encode())
    _add_networks(index, blobs, free, params, report)
    page = render(index, blobs, used)
    files.write_text(path, page)
    return {"page": len(page.encode())} | {name: _bytes(blob) for name, blob in blobs.items()}


def render(index: Mapping[str, Any], blobs: Mapping[str, str], problems: Iterable[str]) -> str:
    """Return the page of an index and of blobs, with the scripts of some problems."""
    library, views = ([_read(name) for name in names] for names in (LIBRARY, VIEWS))
    own = [f"{{\n{script}}}\n" for problem in problems if (script := hooks.script(problem))]
    # JSON has no other way to keep an HTML parser from seeing a tag.
    data = json.dumps(index, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return templates.render(
        HERE / "page.html",
        {},
        style=_read("style.css"),
        data=data.replace("<", "\\u003c"),
        blobs=blobs,
        script="\n".join([*library, *own, *views]),
    )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def playable(checkpoint: Checkpoint, drawings: Mapping[str, np.ndarray]) -> Playable | None:
    """Describe the first replica that did not diverge; None if the page cannot run the network.

    `drawings` are the predictions that the network stored of its training.
    """
    config = checkpoint.config
    network = hooks.network(config)
    if network is None or checkpoint.diverged.all():
        return None
    replica = int(np.argmin(checkpoint.diverged))
    by_step = {config.experiment.training.sequences_seen: checkpoint.weights}
    if (1 + len(checkpoint.weights_after)) * _size(checkpoint) <= SMALL:
        by_step = checkpoint.weights_after | by_step
    steps = sorted(by_step)
    entry = {
        "replica": replica,
        "replicas": len(checkpoint.diverged),
        "steps": steps,
        "weights": {
            name: list(weight.shape[1:])
            for name, weight in zip(network.weights, checkpoint.weights, strict=True)
        },
        "settings": network.settings,
    }
    arrays = [weight[replica] for step in steps for weight in by_step[step]]
    blobs = {
        f"weights:{config.name}": pack_weights(arrays),
        f"drawings:{config.name}": pack_json(hooks.drawings(config, drawings)),
    }
    return Playable(entry, blobs)


def _bytes(text: str) -> int:
    return len(text.encode())


def _size(checkpoint: Checkpoint) -> int:
    """Return the bytes of the weights of one replica."""
    return sum(weight[0].nbytes for weight in checkpoint.weights)


def _add_networks(
    index: Mapping[str, Any], blobs: dict[str, str], free: int, params: Params, report: Report
) -> None:
    """Add networks that the page can run, in the order in which they are wanted, while they fit.

    `free` is the number of bytes that are left.
    """
    preferred = [name for entry in report.page.values() for name in params.expand(entry.networks)]
    rank = {name: position for position, name in enumerate(preferred)}
    loaded = {name: checkpoints.load(name) for name in index["networks"]}
    order = sorted(loaded, key=lambda name: (rank.get(name, len(rank)), _size(loaded[name])))
    for position, name in enumerate(order):
        if 0.9 * _size(loaded[name]) > free:  # their text is about as large as the weights
            continue
        predictions, _ = files.read_arrays(
            paths.predictions(name), hint=f"run: dvc repro evaluate@{experiment_of(name)}"
        )
        preview = Problem(params.networks[name].problem).metrics.preview(predictions)
        if network := playable(loaded[name], preview):
            own = contents.replica_metrics(name, network.entry["replica"])
            entry = network.entry | {"rank": position, "own": own}
            size = len(json.dumps(entry)) + sum(map(_bytes, network.blobs.values())) + TAGS
            if size <= free:
                free -= size
                index["networks"][name].update(entry)
                blobs.update(network.blobs)


def _experiment(name: str, params: Params, report: Report) -> dict:
    networks = params.experiments[name]
    problem = next(iter(networks.values())).problem
    shown = {"name": name, "problem": problem, "networks": list(networks)}
    return shown | report.texts(name).model_dump(exclude={"evidence"})


def _problems(
    params: Params, experiments: Mapping[str, Iterable[str]], studies: Iterable[str]
) -> dict:
    """Describe each problem that is shown, with the metrics of its networks and studies."""
    measured: dict[str, dict[str, None]] = {}
    for networks in experiments.values():
        for network in networks:
            names = [*contents.metrics(network), *contents.curves(network)]
            measured.setdefault(params.networks[network].problem, {}).update(dict.fromkeys(names))
    for name in studies:
        study = params.studies[name]
        measured.setdefault(study.problem, {}).update(dict.fromkeys(study.measured))
    return {
        name: contents.problem(name, [metric for metric in metrics if metric != "sequences"])
        for name, metrics in measured.items()
    }


def _curves(experiment: str, networks: Iterable[str]) -> str:
    return pack_json({network: contents.curves(network) for network in networks})
