"""Stage `evaluate@<experiment>`: measure every replica on test sequences."""

import pandas as pd

from pipeline import files, project, reading, results, statistics, trained
from pipeline.rooms import Room
from pipeline.stages import generate
from pipeline.trained import Trained


def run(name: str) -> None:
    """Write the metrics and learning curves of an experiment to reports/, and its predictions."""
    reading.read(project.params())
    result = trained.read(name)
    setup, sound = result.setup, result.surviving()
    room = Room(setup.experiment.problem)
    arrays, _ = generate.read(setup.experiment.dataset)
    found = room.metrics.evaluate(
        setup, trained.replicas(sound), arrays["test"], sound.history, sound.snapshots
    )
    curves = pd.DataFrame(statistics.bands(result.history, ~result.failed))
    files.write_text(project.history(name), curves.to_csv(index=False, float_format="%.6g"))
    metrics = {metric: statistics.summary(values) for metric, values in found.metrics.items()}
    failure_rate = float(result.failed.mean())
    files.write_json(
        project.metrics(name),
        {
            "experiment": name,
            "trained": results.trained_digest(name),
            "replicas": len(result.failed),
            "failure_rate": failure_rate,
            "parameters": parameters(result),
            "metrics": metrics,
            "references": room.metrics.references(setup, arrays["test"]),
        },
    )
    rows = pd.DataFrame({"replica": range(len(result.failed)), "failed": result.failed.astype(int)})
    measured = pd.DataFrame(found.metrics, index=rows.index[~result.failed])
    files.write_text(project.replicas(name), rows.join(measured).to_csv(index=False))
    headline = {
        metric: float(f"{entry['mean']:.5g}")
        for metric, entry in metrics.items()
        if room.metrics.describe(metric).headline and entry["mean"] is not None
    }
    files.write_json(project.summary(name), headline | {"failure_rate": failure_rate})
    files.write_arrays(project.predictions(name), found.predictions)

    from pipeline import tracking

    tracking.record(name)


def parameters(result: Trained) -> int:
    """Numbers that one replica learned."""
    return int(sum(weight[0].size for weight in result.weights))
