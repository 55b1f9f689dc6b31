"""Stage `evaluate@<experiment>`: evaluate every replica on test sequences."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.params.load import load_params
from pipeline.problems.load import Problem
from pipeline.runs import checkpoint as checkpoints
from pipeline.runs import datasets, executors, results
from pipeline.runs.checkpoint import Checkpoint
from pipeline.utils import bands, console, files, paths, statistics


class NetworkResults(NamedTuple):
    """The results of one network."""

    curves: pd.DataFrame  # median and band over replicas
    replicas: pd.DataFrame  # one row per replica
    aggregates: dict


def run(name: str) -> None:
    """Write the metrics and learning curves of an experiment to reports/, and its predictions."""
    networks = [config.name for config in load_params(paths.params()).configs(name)]
    evaluated: dict[str, NetworkResults] = {}
    with console.progress(f"evaluate {name}", len(networks), "networks") as progress:
        progress(0)
        for job, result in executors.run_here(
            evaluate_network, [(network,) for network in networks]
        ):
            evaluated[networks[job]] = result
            progress(len(evaluated), networks[job])
    write_results(name, {network: evaluated[network] for network in networks})


def write_results(name: str, evaluated: dict[str, NetworkResults]) -> None:
    """Write the tables of an experiment to reports/, given the results of its networks."""
    history = _stack({network: result.curves for network, result in evaluated.items()})
    files.write_text(paths.history(name), history.to_csv(index=False, float_format="%.6g"))
    replicas = _stack({network: result.replicas for network, result in evaluated.items()})
    files.write_text(paths.replicas(name), replicas.to_csv(index=False))
    aggregates = {network: result.aggregates for network, result in evaluated.items()}
    files.write_json(paths.metrics(name), {"experiment": name, "networks": aggregates})


def evaluate_network(network: str) -> NetworkResults:
    """A worker's job: evaluate a network, and write its predictions and headline metrics."""
    checkpoint = checkpoints.load(network)
    config, valid = checkpoint.config, checkpoint.without_diverged()
    problem = Problem(config.experiment.problem)
    test = datasets.load(config.experiment.dataset, config.dataset)["test"]
    replicas = checkpoints.to_replicas(valid, np.flatnonzero(~checkpoint.diverged).tolist())
    evaluation = problem.metrics.evaluate(
        config, replicas, test, valid.history, valid.weights_after
    )
    further = problem.analysis.analyze(config, replicas, test, evaluation.predictions)
    metrics = evaluation.metrics | further.metrics
    predictions = evaluation.predictions | further.predictions
    about = {"checkpoint_digest": results.checkpoint_digest(network)}
    files.write_arrays(paths.predictions(network), predictions, about)
    references = problem.metrics.references(config, test)
    aggregates = _aggregate(problem, checkpoint, metrics, references)
    aggregates["by_piece"] = {
        reference: values.tolist() for reference, values in evaluation.by_piece.items()
    }
    summary = paths.summary(problem.name, network)
    files.write_json(summary, _headlines(problem, aggregates))
    return NetworkResults(
        pd.DataFrame(bands.bands(checkpoint.history, ~checkpoint.diverged)),
        _by_replica(checkpoint, metrics),
        aggregates,
    )


def _aggregate(problem: Problem, checkpoint: Checkpoint, metrics: dict, references: dict) -> dict:
    """Metrics over replicas, with their references."""
    return {
        "checkpoint_digest": results.checkpoint_digest(checkpoint.config.name),
        "replicas": len(checkpoint.diverged),
        "divergence_rate": float(checkpoint.diverged.mean()),
        "weights": int(sum(weight[0].size for weight in checkpoint.weights)),  # of one replica
        "metrics": {
            metric: statistics.summary(values, censored=problem.metrics.describe(metric).censored)
            for metric, values in metrics.items()
        },
        "references": references,
    }


def _headlines(problem: Problem, aggregates: dict) -> dict[str, float]:
    """The means that `dvc metrics show` lists, and the divergence rate unless it is 0."""
    means = {
        metric: float(f"{entry['mean']:.5g}")
        for metric, entry in aggregates["metrics"].items()
        if problem.metrics.describe(metric).headline and entry["mean"] is not None
    }
    rate = aggregates["divergence_rate"]
    return means | ({"divergence_rate": rate} if rate else {})


def _by_replica(checkpoint: Checkpoint, metrics: dict[str, np.ndarray]) -> pd.DataFrame:
    """One row per replica, empty if it diverged."""
    rows = pd.DataFrame(
        {"replica": range(len(checkpoint.diverged)), "diverged": checkpoint.diverged.astype(int)}
    )
    return rows.join(pd.DataFrame(metrics, index=rows.index[~checkpoint.diverged]))


def _stack(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Concatenate tables, with the network in the first column."""
    return pd.concat(tables, names=["network", None]).reset_index("network")
