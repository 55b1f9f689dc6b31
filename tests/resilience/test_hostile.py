"""Hostile files, names and arguments: no code is run, and nothing is written outside."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from ruamel.yaml import YAML
from small import Laboratory, small_config

from pipeline.params.load import load_params
from pipeline.runs import datasets
from pipeline.utils.errors import InputError

NAMES = [
    "../outside",
    "/tmp/outside",
    "a/../../outside",
    "..",
    ".",
    "",
    "-rf",
    "--help",
    "a b",
    "a;touch hacked",
    "$(touch hacked)",
    "`touch hacked`",
    "a|b",
    "a&b",
    "a>b",
    "a*",
    "a'b",
    'a"b',
    "a\nb",
    "a\\b",
    "a@b",
    "a:b",
    "${item.problem}",
    "{{7*7}}",
    "~root",
    "Ä",
    "a\u202eb",
    "A",
    "a_b",
    "x" * 65,
]
SECTIONS = ("datasets", "experiments", "variants", "studies", "comparisons", "models")

COMMANDS = ("generate", "train", "evaluate", "figures", "study", "draw", "echo", "write")
ARGUMENTS = ("../outside", "/tmp/outside", "a;touch hacked", "$(touch hacked)", "")


class Touch:
    """A pickle that would write a file."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return (open, (str(self._path), "w"))


@pytest.mark.parametrize("section", SECTIONS)
def test_names_that_are_paths_or_commands_are_refused(in_folder, section):
    from small import PARAMS

    for name in NAMES:
        document = YAML(typ="safe").load(PARAMS)
        entries = document["experiments"]["widths"] if section == "variants" else document
        entries = entries[section]
        entries[name] = entries.pop(next(iter(entries)))
        stream = io.StringIO()
        YAML(typ="safe").dump(document, stream)
        with pytest.raises(InputError, match="a name must be lower-case letters and digits"):
            load_params(in_folder(stream.getvalue()))


TAGS = [
    "!!python/object/apply:os.system ['touch hacked']",
    "!!python/object/new:subprocess.Popen [[touch, hacked]]",
    "!!python/object:pathlib.Path {}",
    "!!python/name:os.system ''",
    "!!python/module:os ''",
    "!!python/tuple [1]",
    "!!perl/code x",
    "!include /etc/passwd",
]


@pytest.mark.parametrize("tag", TAGS)
def test_objects_in_yaml_are_refused_and_not_made(in_folder, tmp_path, tag):
    from small import PARAMS

    path = in_folder(PARAMS.replace("cells: 4}", f"cells: {tag}}}", 1))
    with pytest.raises(InputError, match=r"params\.yaml: line \d+, column \d+: not YAML"):
        load_params(path)
    assert {entry.name for entry in tmp_path.iterdir()} == {"params.yaml"}


PICKLES = ("array", "member", "bare")


@pytest.mark.parametrize("kind", PICKLES)
def test_pickles_are_never_opened(in_folder, tmp_path, kind):
    in_folder("")
    hacked, path = tmp_path / "hacked", tmp_path / "data/rectangle.npz"
    path.parent.mkdir()
    evil = pickle.dumps(Touch(hacked))
    if kind == "array":  # as NumPy itself writes an array of objects
        parts = {part: np.array([Touch(hacked)], object) for part in datasets.PARTS}
        np.savez(path, about=np.array("{}"), **parts)
    elif kind == "member":
        with zipfile.ZipFile(path, "w") as archive:
            for part in ("about", *datasets.PARTS):
                archive.writestr(f"{part}.npy", evil)
    else:
        path.write_bytes(evil)
    with pytest.raises(InputError, match=r"data/rectangle\.npz: corrupt or not ours"):
        datasets.load("rectangle", small_config("drawer").dataset)
    assert not hacked.exists()


@pytest.mark.slow
def test_models_that_hold_code_are_not_run(mine, forked):
    """A .keras with a Lambda layer, and one whose layer is of any module."""
    hacked = mine.root / "hacked"
    path = mine.root / "models/drawer/model.keras"
    whole = path.read_bytes()
    for layer in LAYERS:
        path.write_bytes(with_layer(whole, layer(mine, hacked)))
        lost = {"MLFLOW_TRACKING_URI": f"sqlite:///{mine.root}/other.db"}
        done = forked.run(mine, "track", **lost)
        assert done.returncode == 2, done.stderr
        assert "error: models/drawer/model.keras: corrupt or not ours; run: " in done.stderr
        assert "Traceback" not in done.stderr
        assert not hacked.exists()


def with_layer(content: bytes, layer: dict) -> bytes:
    """A model with another layer in the place of its last."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(entries["config.json"])
    layer["name"] = config["config"]["layers"][-1]["name"]
    layer["inbound_nodes"] = config["config"]["layers"][-1]["inbound_nodes"]
    config["config"]["layers"][-1] = layer
    entries["config.json"] = json.dumps(config).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, entry in entries.items():
            archive.writestr(name, entry)
    return stream.getvalue()


def lambda_layer(laboratory: Laboratory, hacked) -> dict:
    """What Keras itself writes of a Lambda layer whose function writes a file."""
    program = (
        "import keras, json, sys\n"
        f"layer = keras.layers.Lambda(lambda x: open({str(hacked)!r}, 'w') and x)\n"
        "print(json.dumps(keras.saving.serialize_keras_object(layer)))\n"
    )
    done = laboratory.run("python", "-W", "ignore", "-c", program)
    return json.loads(done.stdout.splitlines()[-1])


def foreign_layer(laboratory: Laboratory, hacked) -> dict:
    return {
        "module": "builtins",
        "class_name": "open",
        "config": {"file": str(hacked), "mode": "w"},
        "registered_name": "open",
    }


LAYERS = (lambda_layer, foreign_layer)


@pytest.mark.slow
def test_a_name_that_is_a_command_stops_dvc_before_it_runs_one(laboratory):
    name = "  'a;touch hacked':\n    problem: shapes\n"
    laboratory.change("datasets:\n", f"datasets:\n{name}")
    done = laboratory.run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert not (laboratory.root / "hacked").exists()


@pytest.mark.slow
def test_arguments_that_are_paths_or_commands_touch_nothing(mine, forked):
    def everything() -> dict:
        paths = mine.root.parent.rglob("*")
        return {p: p.stat().st_mtime_ns for p in paths if "__pycache__" not in str(p)}

    before = everything()
    for command in COMMANDS:
        for name in ARGUMENTS:
            done = forked.run(mine, command, "--", name)
            assert done.returncode == 2, done.stderr
            assert done.stderr.startswith("error: unknown ")
    assert everything() == before


@pytest.mark.slow
@pytest.mark.parametrize("evil", ['{"name": "../../../outside"', "[" * 100_000])
def test_a_model_that_calls_itself_a_path_writes_nothing_outside(mine, forked, evil):
    path = mine.root / "models/drawer/experiment.json"
    path.write_text(path.read_text().replace('{\n  "name": "drawer"', evil, 1))
    outside = set(mine.root.parent.iterdir())
    for words in (("figures", "drawer"), ("evaluate", "drawer"), ("track",)):
        done = forked.run(mine, *words)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
    assert set(mine.root.parent.iterdir()) == outside
