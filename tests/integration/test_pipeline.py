"""The pipeline as its users run it: DVC, an MLflow database, and processes."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML
from small import TRIALS, Laboratory

NETWORKS = ("drawer", "echoer", "sampler", "widths/narrow", "widths/wide", "writer")
ALL = [(name, "FINISHED") for name in NETWORKS]


def runs(laboratory: Laboratory) -> list[tuple[str, str]]:
    """Name and status of the networks' runs in the laboratory's MLflow database."""
    return sorted(
        laboratory.rows(
            "select name, status from runs where lifecycle_stage = 'active' and run_uuid in"
            " (select run_uuid from tags where key = 'laboratory.network')"
        )
    )


def trials(laboratory: Laboratory, study: str) -> int:
    """How many finished trials of a study are in the MLflow database."""
    ((found,),) = laboratory.rows(
        "select count(*) from runs where status <> 'RUNNING' and lifecycle_stage = 'active' and"
        f" run_uuid in (select run_uuid from tags where key = 'laboratory.study'"
        f" and value = '{study}')"
    )
    return found


def counts(laboratory: Laboratory) -> dict[str, int]:
    """How many rows there are of everything that tracking writes."""
    tables = ("runs", "metrics", "params", "tags", "inputs", "logged_models", "datasets")
    found = {t: laboratory.rows(f"select count(*) from {t}")[0][0] for t in tables}
    found["artifacts"] = sum(
        path.is_file() for path in (laboratory.root / "mlartifacts").rglob("*")
    )
    return found


def stages_run(output: str) -> set[str]:
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}


def test_repro_writes_all_results_and_a_second_one_has_nothing_to_do(reproduced):
    for name in (
        "data/rectangle.npz",
        "models/drawer/model.keras",
        "models/widths/wide/weights.npz",
        "reports/history/drawer.csv",
        "reports/metrics/drawer.json",
        "reports/metrics/echoer.csv",
        "reports/summary/echo/echoer/metrics.json",
        "reports/summary/shapes/widths/wide.json",
        "reports/figures/drawer/drawings.svg",
        "reports/figures/echoer/echoes.svg",
        "reports/figures/writer/samples.svg",
        "reports/captions/drawer.json",
        "reports/comparisons/drawers.svg",
        "reports/highlights.svg",
        "reports/studies/sizes/trials.csv",
        "reports/studies/search/best.json",
        "reports/studies/sizes/pareto.svg",
        "data/studies/sizes.npz",
        "reports/README.md",
        "reports/experiments/drawer.md",
        "reports/comparisons/drawers.md",
        "reports/index.html",
        "mlflow.db",
    ):
        assert (reproduced.root / name).is_file(), name
    again = reproduced.run("dvc", "repro")
    assert "up to date" in again.stdout
    assert not stages_run(again.stdout)
    assert reproduced.run("git", "status", "--porcelain").stdout == ""


def test_metrics_are_aggregated_over_replicas(reproduced):
    found = json.loads((reproduced.root / "reports/metrics/drawer.json").read_text())
    rows = pd.read_csv(reproduced.root / "reports/metrics/drawer.csv")
    assert found["networks"]["drawer"]["divergence_rate"] == 0
    assert list(rows["replica"]) == [0, 1, 2]
    entry = found["networks"]["drawer"]["metrics"]["mae_regret"]
    assert set(entry) == {"mean", "sd", "iqm", "low", "high", "median", "min", "replicas"}
    assert entry["mean"] == pytest.approx(rows["mae_regret"].mean())
    assert entry["low"] < entry["mean"] < entry["high"]


def test_the_trials_of_a_study_have_a_page_with_charts_of_their_own(reproduced):
    assert {study: trials(reproduced, study) for study in TRIALS} == TRIALS
    query = (
        "select key, value from experiment_tags where key like 'mlflow.%' and experiment_id in"
        " (select experiment_id from experiments where name like 'study sizes%')"
    )
    tags = dict(reproduced.rows(query))
    assert "reports/studies/" in tags["mlflow.note.content"]
    assert any(key.startswith("mlflow.sharedViewState.") for key in tags)


def test_the_report_shows_studies(reproduced):
    folder = reproduced.root / "reports/experiments"
    page = (folder / "sizes.md").read_text()
    for text in (
        "# sizes",
        "*How many cells?*",
        "../studies/sizes/pareto.svg",
        "The Pareto-optimal trials",
    ):
        assert text in page, text
    assert "P(better)" in (folder / "search.md").read_text()


def test_the_report_starts_with_a_story(reproduced):
    page = (reproduced.root / "reports/README.md").read_text()
    assert "in a browser, scores your guesses. Then come" in page
    assert "## 1. Are more cells worth it?" in page
    assert "**What do you expect?** The networks have 2 and 6 cells." in page


def test_links_of_the_report_lead_to_its_files(reproduced):
    reports = reproduced.root / "reports"
    folders = ("experiments", "comparisons")
    pages = [reports / "README.md", *(p for f in folders for p in (reports / f).glob("*.md"))]
    assert len(pages) > len(NETWORKS)
    docs = ("../docs/", "../../docs/", "benchmarks/")  # which the laboratory does not have
    for page in pages:
        targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        missing = [
            target
            for target in targets
            if not target.startswith(docs) and not (page.parent / target).exists()
        ]
        assert not missing, page


def test_plain_keras_loads_the_model(reproduced):
    program = """
import sys, keras, numpy as np
model = keras.saving.load_model("models/drawer/model.keras")
weights = np.load("models/drawer/weights.npz")
for mine, all_replicas in zip(model.get_weights(), [weights[str(i)] for i in range(5)]):
    np.testing.assert_array_equal(mine, all_replicas[0])
print([type(layer).__name__ for layer in model.layers], "pipeline" in sys.modules)
"""
    done = reproduced.run("python", "-c", program)
    assert done.stdout.strip() == "['InputLayer', 'LSTM', 'Dense'] False"


def test_dvc_shows_the_metrics_of_each_network_in_a_table_by_problem(reproduced):
    table = reproduced.run("dvc", "metrics", "show").stdout
    assert len(table.splitlines()) == 1 + len(NETWORKS)
    header, *rows = reproduced.run(
        "dvc", "metrics", "show", "reports/summary/echo"
    ).stdout.splitlines()
    assert header.split() == ["Path", "cross_entropy", "exact_accuracy", "token_accuracy"]
    assert len(rows) == 1


def test_dvc_shows_all_figures_of_experiments_without_network(reproduced, tmp_path):
    reproduced.run("dvc", "plots", "show", "--out", str(tmp_path))
    page = (tmp_path / "index.html").read_text()
    assert "://" not in page
    images = re.findall(r'<img src="(.*?)">', page)
    assert all((tmp_path / image).is_file() for image in images)
    assert len(images) == len([*reproduced.root.glob("reports/figures/*/*.svg")])


def test_one_change_reruns_one_experiment(mine):
    mine.change("cells: 4", "cells: 5")
    done = mine.run("dvc", "repro")
    assert stages_run(done.stdout) == {
        "check",
        "train@drawer",
        "evaluate@drawer",
        "figures@drawer",
        "study@sizes",
        "report",
        "page",
    }
    assert runs(mine) == [("drawer", "FINISHED"), *ALL]


def test_a_project_may_have_no_studies_and_no_report_texts(mine):
    document = YAML(typ="safe").load(mine.params.read_text())
    document["studies"] = {}
    (mine.root / "report.yaml").write_text("{}\n")
    with mine.params.open("w") as file:
        YAML().dump(document, file)
    for folder in ("data/studies", "reports/studies"):
        shutil.rmtree(mine.root / folder)
    done = mine.run("dvc", "repro")
    assert stages_run(done.stdout) == {"check", "report", "page"}
    assert not (mine.root / "reports/experiments/sizes.md").exists()


def test_a_quick_look_draws_all_figures_and_leaves_the_results_alone(mine):
    kept = {"experiments": ("drawer", "echoer"), "studies": ("sizes",)}
    document = YAML(typ="safe").load(mine.params)
    for section, names in kept.items():
        document[section] = {name: document[section][name] for name in names}
    YAML().dump(document, mine.params)
    (mine.root / "report.yaml").unlink()
    mine.run("git", "commit", "-qam", "A small part")
    mine.run("pipeline", "quick", "--scale", "0.5")
    made, expected = (
        {
            path.relative_to(root)
            for folder in ("figures/drawer", "figures/echoer", "studies/sizes")
            for path in (root / "reports" / folder).glob("*.svg")
        }
        for root in (mine.root / ".quick", mine.root)
    )
    assert made == expected
    assert "**Quick look**" in (mine.root / ".quick/reports/README.md").read_text()
    assert mine.run("git", "status", "--porcelain").stdout == ""


def test_a_changed_text_of_the_report_trains_nothing(mine):
    texts = mine.root / "report.yaml"
    texts.write_text(texts.read_text().replace("Does it draw?", "Does it really draw?"))
    done = mine.run("dvc", "repro")
    assert stages_run(done.stdout) == {"check", "report", "page"}
    assert "Does it really draw?" in (mine.root / "reports/README.md").read_text()
    assert "Does it really draw?" in (mine.root / "reports/experiments/drawer.md").read_text()


def test_a_changed_module_reruns_the_stages_that_use_it(mine):
    module = mine.root / "pipeline/problems/echo/metrics/evaluation.py"
    module.write_text(module.read_text() + "\nCHANGED = True\n")
    mine.run("python", "-m", "pipeline", "check", warm=False)
    status = json.loads(mine.run("dvc", "status", "--json").stdout)
    stages = {f"{stage}@echoer" for stage in ("train", "evaluate", "figures")}
    assert set(status) == {"check", "report", "page", "study@search"} | stages


def test_results_are_the_same_bytes_each_time(reproduced, laboratory):
    laboratory.run("dvc", "repro", "figures@drawer")
    for folder in (
        "data/rectangle.npz",
        "models/drawer",
        "reports/metrics",
        "reports/figures/drawer",
    ):
        made = laboratory.root / folder
        files = [path for path in made.rglob("*") if path.is_file()] if made.is_dir() else [made]
        assert files
        for path in files:
            other = reproduced.root / path.relative_to(laboratory.root)
            assert path.read_bytes() == other.read_bytes(), path


def test_a_run_has_curves_metrics_pictures_data_and_model(reproduced):
    assert runs(reproduced) == ALL
    program = """
import json
from mlflow import MlflowClient
client = MlflowClient("sqlite:///mlflow.db")
(experiment,) = [e for e in client.search_experiments() if e.name == "shapes"]
(run,) = client.search_runs([experiment.experiment_id], "tags.`laboratory.network` = 'drawer'")
inside = f"tags.mlflow.parentRunId = '{run.info.run_id}'"
children = client.search_runs([experiment.experiment_id], inside)
models = client.search_logged_models([experiment.experiment_id])
(model,) = [model for model in models if model.source_run_id == run.info.run_id]
print(json.dumps({
    "metrics": run.data.metrics, "params": run.data.params, "tags": run.data.tags,
    "curve": [m.step for m in client.get_metric_history(run.info.run_id, "val_mae")],
    "children": [child.data.metrics for child in children],
    "datasets": [i.dataset.name for i in run.inputs.dataset_inputs],
    "artifacts": [
        artifact.path
        for folder in ("images", "figures", "metrics")
        for artifact in client.list_artifacts(run.info.run_id, folder)
    ],
    "place": run.info.artifact_uri, "model": model.name,
    "ranked": [[m.dataset_name, m.value] for m in model.metrics if m.key == "test_mae_regret"],
    "weights": json.load(open("reports/metrics/drawer.json"))["networks"]["drawer"]["weights"],
}))
"""
    logged = json.loads(reproduced.run("python", "-c", program).stdout.splitlines()[-1])
    assert logged["params"]["model.cells"] == "4"
    assert logged["params"]["dataset.name"] == "rectangle"
    assert {"val_mae", "val_mae_low", "train_loss", "test_mae_regret"} <= set(logged["metrics"])
    assert len(logged["metrics"]) < 31
    assert not [name for name in logged["metrics"] if "/" in name]
    history = pd.read_csv(reproduced.root / "reports/history/drawer.csv")
    assert logged["curve"] == list(history["sequences"])
    assert len(logged["children"]) == 3
    assert all("test_mae_regret" in child for child in logged["children"])
    assert logged["datasets"] == ["rectangle"]
    assert "figures/drawings.svg" in logged["artifacts"]
    (text,) = (reproduced.root / "mlartifacts/text").rglob("texts/samples.txt")
    assert text.read_text().startswith("writer, first replica that did not diverge")
    assert sum(path.endswith(".png") for path in logged["artifacts"]) == 3  # two steps, and the end
    assert logged["place"].startswith(f"{reproduced.root.as_uri()}/mlartifacts/")
    assert logged["model"] == "drawer"
    tags = logged["tags"]
    assert tags["dvc.stage"] == "train@drawer"
    assert logged["metrics"]["training_seconds"] > 0
    assert logged["metrics"]["parameter_count"] == logged["weights"]
    assert {"version.tensorflow", "version.keras", "version.numpy", "processor"} <= set(tags)
    assert tags["mlflow.user"] == "A student"
    assert logged["ranked"] == [["rectangle", logged["metrics"]["test_mae_regret"]]]
    digests = json.loads(tags["laboratory.digests"])
    assert list(digests) == ["begun", "training", "model", "evaluation", "figures"]
    commit = reproduced.run("git", "rev-list", "--max-parents=0", "HEAD").stdout.strip()
    assert tags["mlflow.source.git.commit"] == commit


def test_the_logged_model_predicts(reproduced):
    program = """
import mlflow, numpy as np
mlflow.set_tracking_uri("sqlite:///mlflow.db")
client = mlflow.MlflowClient()
(experiment,) = [e for e in client.search_experiments() if e.name == "shapes"]
models = client.search_logged_models([experiment.experiment_id])
(model,) = [model for model in models if model.name == "drawer"]
loaded = mlflow.pyfunc.load_model(model.model_uri)
example = np.load("models/drawer/example.npz")
np.testing.assert_allclose(loaded.predict(example["inputs"]), example["outputs"], rtol=1e-5)
print(loaded.metadata.signature is not None)
"""
    done = reproduced.run("python", "-W", "ignore", "-c", program)
    assert done.stdout.splitlines()[-1] == "True"


def test_sync_rebuilds_a_lost_database_and_then_adds_nothing(mine):
    before = counts(mine)
    (mine.root / "mlflow.db").unlink()
    first = mine.run("pipeline", "sync").stdout.splitlines()
    made = {name: f"added {trials} trials" for name, trials in TRIALS.items()}
    made |= dict.fromkeys(NETWORKS, "added training, model, evaluation, figures")
    made |= {"shape-drawer": "added version 1, sampler, replica 1"}
    made |= {"integer-echo": "added version 1, echoer, replica 0"}
    assert sorted(first) == sorted(f"{name}: {what}" for name, what in made.items())
    before["metrics"] -= 2 * len(NETWORKS)  # files do not tell how long a training took
    after = counts(mine)
    assert {k: after[k] for k in ("runs", "metrics", "params", "logged_models")} == {
        k: before[k] for k in ("runs", "metrics", "params", "logged_models")
    }
    again = mine.run("pipeline", "sync").stdout.splitlines()
    assert sorted(again) == sorted(f"{name}: complete" for name in made)
    assert counts(mine) == after


def test_a_temporary_experiment_tracks_into_the_repository(mine):
    changed = ("-S", "experiments.drawer.model.cells=6", "train@drawer")
    done = mine.run("dvc", "exp", "run", "--temp", *changed)
    assert "train@drawer" in stages_run(done.stdout)
    assert "train@echoer" not in stages_run(done.stdout)
    names = mine.rows("select value from tags where key = 'dvc.experiment'")
    (name,) = {name for (name,) in names}
    assert runs(mine) == sorted([(f"drawer ({name})", "FINISHED"), *ALL])
    assert name in mine.run("dvc", "exp", "list", "--name-only").stdout


def test_sync_adds_the_runs_of_stages_from_the_run_cache(mine):
    for lost in ("mlflow.db", "dvc.lock"):
        (mine.root / lost).unlink()
    shutil.rmtree(mine.root / "models")
    experiments = dict.fromkeys(network.split("/")[0] for network in NETWORKS)
    done = mine.run("dvc", "repro", *(f"train@{name}" for name in experiments))
    assert not {stage for stage in stages_run(done.stdout) if stage.startswith("train")}
    assert "Stage 'train@drawer' is cached - skipping run" in done.stdout
    mine.run("pipeline", "sync")
    assert runs(mine) == ALL


def test_a_fresh_clone_pulls_instead_of_training(mine, tmp_path):
    mine.run("dvc", "remote", "add", "-d", "store", str(tmp_path / "store"))
    mine.run("git", "commit", "-qam", "A remote")
    mine.run("dvc", "push")
    mine.run("git", "clone", "-q", str(mine.root), str(tmp_path / "clone"))
    clone = Laboratory(tmp_path / "clone")
    clone.run("dvc", "pull")
    assert not stages_run(clone.run("dvc", "repro").stdout)
    clone.run("pipeline", "sync")
    assert runs(clone) == ALL


def test_an_error_in_the_parameters_stops_before_anything_is_lost(mine):
    mine.change("cells: 4", "cells: 0")
    done = mine.run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert "params.yaml: experiments.drawer.model.cells: must be at least 1, got 0" in done.stderr
    assert "Traceback" not in done.stderr
    assert mine.run("git", "status", "--porcelain").stdout == " M params.yaml\n"
    assert (mine.root / "models/drawer/model.keras").is_file()


def test_if_all_replicas_diverge_the_previous_results_can_be_restored(mine):
    mine.change("loss: mae\n      learning_rate: 0.01", "loss: mse\n      learning_rate: 1.0e+38")
    mine.change("seed: 1\n", "seed: 1\n      optimizer: sgd\n")
    done = mine.run("dvc", "repro", "train@drawer", check=False)
    assert done.returncode != 0
    assert (
        "all 3 replicas diverged: the mse loss or a weight became NaN, infinite or huge"
        in done.stderr
    )
    assert "training.learning_rate below 1e+38" in done.stderr
    assert "Traceback" not in done.stderr
    assert ("drawer", "FAILED") in runs(mine)
    assert "results of train@drawer: dvc checkout --force train@drawer\n" in done.stderr
    mine.run("dvc", "checkout", "--force", "train@drawer")
    assert (mine.root / "models/drawer/model.keras").is_file()
    assert mine.run("git", "status", "--porcelain", "reports").stdout == ""


def test_a_diverged_replica_is_counted_and_not_averaged(mine):
    program = """
import numpy as np
from pipeline.params.load import load_params
from pipeline.problems.load import Problem
from pipeline.runs import checkpoint, datasets
from pipeline.runs.fit import fit
from pipeline.stages import evaluate
from pipeline.utils import paths
config = load_params(paths.params()).config("drawer")
arrays = datasets.load("rectangle", config.dataset)
arrays["train"][1] = np.nan
result = fit(config, arrays, range(3))
model = Problem("shapes").model.build(config).model
example = np.zeros((3, 1, 2), np.float32)
checkpoint.save(result, checkpoint.export_model(result, model, example))
evaluate.run("drawer")
"""
    mine.run("python", "-W", "ignore", "-c", program)
    found = json.loads((mine.root / "reports/metrics/drawer.json").read_text())
    rows = pd.read_csv(mine.root / "reports/metrics/drawer.csv")
    found = found["networks"]["drawer"]
    assert found["divergence_rate"] == pytest.approx(1 / 3)
    assert found["metrics"]["mae"]["replicas"] == 2
    assert rows["diverged"].tolist() == [0, 1, 0]
    assert np.isnan(rows["mae"][1])
    assert found["metrics"]["mae"]["mean"] == pytest.approx(rows["mae"][[0, 2]].mean())


def test_sync_lists_what_is_not_here(laboratory):
    dead = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    laboratory.run("pipeline", "generate", "rectangle")
    done = laboratory.run("pipeline", "train", "drawer", env=dead)
    assert done.stderr.count("MLflow at http://127.0.0.1:9 fails") == 1
    missing = "reports/metrics/{0}.json: does not exist yet; run: dvc repro evaluate@{0}"
    assert laboratory.run("pipeline", "sync").stdout.splitlines() == [
        "drawer: added training, model",
        "echoer: not trained here; run: dvc pull, or dvc repro train@echoer",
        "widths: not trained here; run: dvc pull, or dvc repro train@widths",
        "sampler: not trained here; run: dvc pull, or dvc repro train@sampler",
        "writer: not trained here; run: dvc pull, or dvc repro train@writer",
        "sizes: no trials here; run: dvc pull, or dvc repro study@sizes",
        "search: no trials here; run: dvc pull, or dvc repro study@search",
        f"shape-drawer: {missing.format('sampler')}",
        f"integer-echo: {missing.format('echoer')}",
    ]
