"""Stage `evaluate@<experiment>`: measure every replica on test sequences."""

import numpy as np
import pandas as pd

from pipeline import files, project, reading, results, statistics, trained
from pipeline.rooms import Room
from pipeline.stages import generate
from pipeline.trained import Trained


def run(name: str) -> None:
    """Write the metrics and learning curves of an experiment to reports/, and its predictions."""
    setups = reading.read(project.params()).setups(name)
    arrays, _ = generate.read(setups[0].experiment.dataset)
    curves, measured, aggregates = {}, {}, {}
    for network in (setup.name for setup in setups):
        result = trained.read(network)
        sound, room = result.surviving(), Room(result.setup.experiment.problem)
        found = room.metrics.evaluate(
            result.setup, trained.replicas(sound), arrays["test"], sound.history, sound.snapshots
        )
        files.write_arrays(project.predictions(network), found.predictions)
        references = room.metrics.references(result.setup, arrays["test"])
        aggregates[network] = _aggregate(result, found.metrics, references)
        files.write_json(project.summary(network), _headlines(room, aggregates[network]))
        curves[network] = pd.DataFrame(statistics.bands(result.history, ~result.failed))
        measured[network] = _by_replica(result, found.metrics)
    history = _one_table(curves).to_csv(index=False, float_format="%.6g")
    files.write_text(project.history(name), history)
    files.write_text(project.replicas(name), _one_table(measured).to_csv(index=False))
    files.write_json(project.metrics(name), {"experiment": name, "networks": aggregates})


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
