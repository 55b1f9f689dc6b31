"""Stage `evaluate@<experiment>`: measure every replica on test sequences."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.params.load import load_params
from pipeline.problems.base import Problem
from pipeline.runs import checkpoint, datasets, results
from pipeline.runs.checkpoint import Checkpoint
from pipeline.utils import console, files, parallel, paths, statistics


class Measured(NamedTuple):
    """What is found of a network."""

    curves: pd.DataFrame  # median and band over replicas
    rows: pd.DataFrame  # one for each replica
    aggregate: dict


def run(name: str) -> None:
    """Write the metrics and learning curves of an experiment to reports/, and its predictions."""
    networks = [config.name for config in load_params(paths.params()).configs(name)]
    found: dict[str, Measured] = {}
    with console.progress(f"evaluate {name}", len(networks), "networks") as progress:
        for job, measured in parallel.run(_measure, [(network,) for network in networks]):
            found[networks[job]] = measured
            progress(len(found), networks[job])
    curves, rows, aggregates = (
        {network: found[network][part] for network in networks} for part in range(3)
    )
    history = _one_table(curves).to_csv(index=False, float_format="%.6g")
    files.write_text(paths.history(name), history)
    files.write_text(paths.replicas(name), _one_table(rows).to_csv(index=False))
    files.write_json(paths.metrics(name), {"experiment": name, "networks": aggregates})


def _measure(network: str, emit: Callable) -> Measured:
    """The job of a worker: measure a network, write its predictions and its few headlines."""
    result = checkpoint.read(network)
    config, sound = result.config, result.without_diverged()
    problem = Problem(config.experiment.problem)
    test = datasets.read(config.experiment.dataset, config.dataset)["test"]
    found = problem.metrics.evaluate(
        config, checkpoint.to_replicas(sound), test, sound.history, sound.checkpoints
    )
    files.write_arrays(paths.predictions(network), found.predictions)
    aggregate = _aggregate(result, found.metrics, problem.metrics.references(config, test))
    files.write_json(paths.summary(network), _headlines(problem, aggregate))
    return Measured(
        pd.DataFrame(statistics.bands(result.history, ~result.failed)),
        _by_replica(result, found.metrics),
        aggregate,
    )


def _aggregate(result: Checkpoint, metrics: dict, references: dict) -> dict:
    """What is known of a network over its replicas."""
    return {
        "trained": results.trained_digest(result.config.name),
        "replicas": len(result.failed),
        "failure_rate": float(result.failed.mean()),
        "parameters": int(sum(weight[0].size for weight in result.weights)),  # of one replica
        "metrics": {metric: statistics.summary(values) for metric, values in metrics.items()},
        "references": references,
    }


def _headlines(problem: Problem, aggregate: dict) -> dict[str, float]:
    """The few means that `dvc metrics show` lists."""
    means = {
        metric: float(f"{entry['mean']:.5g}")
        for metric, entry in aggregate["metrics"].items()
        if problem.metrics.describe(metric).headline and entry["mean"] is not None
    }
    return means | {"failure_rate": aggregate["failure_rate"]}


def _by_replica(result: Checkpoint, metrics: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row for each replica, empty where it diverged."""
    rows = pd.DataFrame({"replica": range(len(result.failed)), "failed": result.failed.astype(int)})
    return rows.join(pd.DataFrame(metrics, index=rows.index[~result.failed]))


def _one_table(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables one below the other, the network in the first column."""
    return pd.concat(tables, names=["network", None]).reset_index("network")
