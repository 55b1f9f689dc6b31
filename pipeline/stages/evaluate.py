"""Stage `evaluate@<experiment>`: measure every replica on test sequences."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline import console, results, workers
from pipeline.core import datasets, files, project, reading, statistics
from pipeline.core.rooms import Room
from pipeline.training import trained
from pipeline.training.trained import Trained


class Measured(NamedTuple):
    """What is found of a network."""

    curves: pd.DataFrame  # median and band over replicas
    rows: pd.DataFrame  # one for each replica
    aggregate: dict


def run(name: str) -> None:
    """Write the metrics and learning curves of an experiment to reports/, and its predictions."""
    networks = [setup.name for setup in reading.read(project.params()).setups(name)]
    found: dict[str, Measured] = {}
    with console.progress(f"evaluate {name}", len(networks), "networks") as progress:
        for job, measured in workers.run(_measure, [(network,) for network in networks]):
            found[networks[job]] = measured
            progress(len(found), networks[job])
    curves, rows, aggregates = (
        {network: found[network][part] for network in networks} for part in range(3)
    )
    history = _one_table(curves).to_csv(index=False, float_format="%.6g")
    files.write_text(project.history(name), history)
    files.write_text(project.replicas(name), _one_table(rows).to_csv(index=False))
    files.write_json(project.metrics(name), {"experiment": name, "networks": aggregates})


def _measure(network: str, tell: Callable) -> Measured:
    """The job of a worker: measure a network, write its predictions and its few headlines."""
    result = trained.read(network)
    setup, sound = result.setup, result.surviving()
    room = Room(setup.experiment.problem)
    test = datasets.read(setup.experiment.dataset, setup.dataset)["test"]
    found = room.metrics.evaluate(
        setup, trained.replicas(sound), test, sound.history, sound.snapshots
    )
    files.write_arrays(project.predictions(network), found.predictions)
    aggregate = _aggregate(result, found.metrics, room.metrics.references(setup, test))
    files.write_json(project.summary(network), _headlines(room, aggregate))
    return Measured(
        pd.DataFrame(statistics.bands(result.history, ~result.failed)),
        _by_replica(result, found.metrics),
        aggregate,
    )


def _aggregate(result: Trained, metrics: dict, references: dict) -> dict:
    """What is known of a network over its replicas."""
    return {
        "trained": results.trained_digest(result.setup.name),
        "replicas": len(result.failed),
        "failure_rate": float(result.failed.mean()),
        "parameters": int(sum(weight[0].size for weight in result.weights)),  # of one replica
        "metrics": {metric: statistics.summary(values) for metric, values in metrics.items()},
        "references": references,
    }


def _headlines(room: Room, aggregate: dict) -> dict[str, float]:
    """The few means that `dvc metrics show` lists."""
    means = {
        metric: float(f"{entry['mean']:.5g}")
        for metric, entry in aggregate["metrics"].items()
        if room.metrics.describe(metric).headline and entry["mean"] is not None
    }
    return means | {"failure_rate": aggregate["failure_rate"]}


def _by_replica(result: Trained, metrics: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row for each replica, empty where it diverged."""
    rows = pd.DataFrame({"replica": range(len(result.failed)), "failed": result.failed.astype(int)})
    return rows.join(pd.DataFrame(metrics, index=rows.index[~result.failed]))


def _one_table(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables one below the other, the network in the first column."""
    return pd.concat(tables, names=["network", None]).reset_index("network")
