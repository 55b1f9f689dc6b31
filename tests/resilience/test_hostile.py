"""Hostile names, files and arguments: no code is run, and nothing is written outside."""

import base64
import io
import json
import marshal
import pickle
import shutil
import zipfile

import numpy as np
import pytest
from ruamel.yaml import YAML
from small import PARAMS, REPORT, small_config

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.runs import datasets
from pipeline.utils.errors import InputError

NAMES = [
    "../outside",
    "/tmp/outside",
    "..",
    "",
    "-rf",
    "a b",
    "a;touch hacked",
    "$(touch hacked)",
    "a*",
    "a'b",
    "a\nb",
    "a\u202eb",
    "a:b",
    "${item.problem}",
    "{{7*7}}",
    "x" * 65,
]
"""Names that are paths, options, commands, patterns, templates, or too long."""

SECTIONS = {
    "params.yaml": ("datasets", "experiments", "experiments/widths/variants", "studies"),
    "report.yaml": ("comparisons", "highlights", "models"),
}

NAME_ERROR = "a name must be lower-case letters and digits"


def with_name(text: str, section: str, name: str) -> dict:
    """The document of a YAML text, with another name for the first entry of a section."""
    document = entries = YAML(typ="safe").load(text)
    for key in section.split("/"):
        entries = entries[key]
    entries[name] = entries.pop(next(iter(entries)))
    return document


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_could_be_a_path_or_a_command_is_refused(in_folder, name):
    path = in_folder(with_name(PARAMS, "datasets", name))
    with pytest.raises(InputError, match=NAME_ERROR):
        load_params(path)


@pytest.mark.parametrize("section", SECTIONS["params.yaml"])
def test_the_names_of_all_sections_of_params_are_checked(in_folder, section):
    path = in_folder(with_name(PARAMS, section, "../outside"))
    with pytest.raises(InputError, match=NAME_ERROR):
        load_params(path)


@pytest.mark.parametrize("section", SECTIONS["report.yaml"])
def test_the_names_of_all_sections_of_the_report_are_checked(in_folder, section):
    path = in_folder(PARAMS).with_name("report.yaml")
    YAML(typ="safe").dump(with_name(REPORT, section, "../outside"), path)
    with pytest.raises(InputError, match=NAME_ERROR):
        load_report(path, load_params(path.with_name("params.yaml")))


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch hacked']",
        "!!python/name:os.system ''",
        "!include /etc/passwd",
    ],
)
def test_yaml_tags_that_create_objects_are_refused(in_folder, tmp_path, tag):
    path = in_folder(PARAMS.replace("cells: 4}", f"cells: {tag}}}", 1))
    with pytest.raises(InputError, match=r"params\.yaml: line \d+, column \d+: not YAML"):
        load_params(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["params.yaml"]


class Touch:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return (open, (str(self._path), "w"))


@pytest.mark.parametrize("kind", ["array of objects", "entry of a zip file", "whole file"])
def test_pickles_are_never_loaded(in_folder, tmp_path, kind):
    in_folder("")
    hacked, path = tmp_path / "hacked", tmp_path / "data/rectangle.npz"
    path.parent.mkdir()
    if kind == "array of objects":
        parts = {part: np.array([Touch(hacked)], object) for part in datasets.PARTS}
        np.savez(path, about=np.array("{}"), **parts)
    elif kind == "entry of a zip file":
        with zipfile.ZipFile(path, "w") as archive:
            for part in ("about", *datasets.PARTS):
                archive.writestr(f"{part}.npy", pickle.dumps(Touch(hacked)))
    else:
        path.write_bytes(pickle.dumps(Touch(hacked)))
    with pytest.raises(InputError, match=r"data/rectangle\.npz: corrupt or not ours"):
        datasets.load("rectangle", small_config("drawer").dataset)
    assert not hacked.exists()


def with_lambda_layer(content: bytes, path) -> bytes:
    """The content of a .keras file whose last layer is replaced by code that creates a file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(entries["config.json"])
    code = compile(f"lambda x: open({str(path)!r}, 'w') and x", "hostile", "eval").co_consts[0]
    function = {"code": base64.b64encode(marshal.dumps(code)).decode()}
    function |= {"defaults": None, "closure": None}
    config["config"]["layers"][-1] |= {
        "module": "keras.layers",
        "class_name": "Lambda",
        "registered_name": None,
        "config": {"function": {"class_name": "__lambda__", "config": function}},
    }
    entries["config.json"] = json.dumps(config).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, entry in entries.items():
            archive.writestr(name, entry)
    return stream.getvalue()


def test_code_in_a_keras_file_is_not_run(mine, tmp_path):
    path, hacked = mine.root / "models/drawer/model.keras", tmp_path / "hacked"
    path.write_bytes(with_lambda_layer(path.read_bytes(), hacked))
    (mine.root / "mlflow.db").unlink()  # so that the model must be logged
    done = mine.pipeline("sync")
    assert done.returncode == 2, done.stderr
    message = "error: models/drawer/model.keras: corrupt or not ours; run: dvc repro train@drawer"
    assert done.stderr.splitlines()[-1] == message
    assert not hacked.exists()


def test_a_dataset_whose_name_is_a_command_stops_dvc_repro(laboratory):
    hostile = "  'a;touch hacked':\n    problem: shapes\n"
    laboratory.change("datasets:\n", f"datasets:\n{hostile}")
    done = laboratory.run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert "a name must be lower-case letters and digits" in done.stderr
    assert not (laboratory.root / "hacked").exists()


COMMANDS = ("generate", "train", "evaluate", "figures", "study", "draw", "echo", "write")
ARGUMENTS = ("../outside", "/tmp/outside", "a;touch hacked", "$(touch hacked)", "")


def test_arguments_that_are_paths_or_commands_write_nothing(mine):
    def modified() -> dict:
        paths = [path for path in mine.root.parent.rglob("*") if "__pycache__" not in str(path)]
        return {path: path.stat().st_mtime_ns for path in paths}

    before = modified()
    calls = [(command, ARGUMENTS[0]) for command in COMMANDS]
    calls += [(COMMANDS[0], argument) for argument in ARGUMENTS[1:]]
    for command, argument in calls:
        done = mine.pipeline(command, "--", argument)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("error: unknown ")
    assert modified() == before


def test_a_trained_network_whose_name_is_a_path_writes_nothing_outside(mine):
    """The path is that of an existing network, so that no command fails for lack of it."""
    name, folder = "../../outside", mine.root / "models/drawer"
    document = json.loads((folder / "experiment.json").read_text()) | {"name": name}
    (folder / "experiment.json").write_text(json.dumps(document))
    shutil.copytree(folder, folder.parent / name)

    def modified() -> dict:
        others = [path for path in mine.root.parent.rglob("*") if mine.root not in path.parents]
        contents = {path: path.read_bytes() for path in others if path.is_file()}
        return contents | dict.fromkeys(mine.root.iterdir())

    before = modified()
    for arguments in (("evaluate", "drawer"), ("figures", "drawer"), ("sync",)):
        assert "Traceback" not in mine.pipeline(*arguments).stderr
    assert modified() == before
