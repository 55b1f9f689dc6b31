"""The README says what is so: its commands parse, its example runs, its files exist."""

import re
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from ruamel.yaml import YAML
from small import ROOT
from typer.main import get_command

from pipeline.cli import app
from pipeline.params.load import load_params

README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"`([^`\n]+)`|^    (\S.*)$", README, re.MULTILINE)
WORDS = [(inline or block).split() for inline, block in CODE]


@pytest.mark.parametrize("words", [words for words in WORDS if words[0] == "pipeline"])
def test_every_pipeline_command_exists_with_its_options(words):
    commands = get_command(app).commands
    if len(words) > 1:
        options = {option for p in commands[words[1]].params for option in p.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_every_make_target_exists():
    makefile = (ROOT / "Makefile").read_text()
    for words in WORDS:
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE), words


def test_every_file_it_names_is_there():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert target in tracked, target
    table = README.split("## Where everything is")[1].split("The stages and their files")[0]
    for cell in re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE):
        folder = ""
        for name in re.findall(r"`([^`]+)`", cell):
            folder = name.rpartition("/")[0] if "/" in name else folder
            path = ROOT / name if "/" in name or not folder else ROOT / folder / name
            assert path.exists() or name in ("data/", "models/"), name


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", README, re.DOTALL))
def test_an_example_of_an_entry_is_sound(in_folder, example):
    yaml = YAML(typ="safe")
    document = yaml.load((ROOT / "params.yaml").read_text())
    added = yaml.load(example)
    for section, entries in added.items():
        document[section] |= entries
    path = in_folder("")
    with path.open("w") as file:
        yaml.dump(document, file)
    found = load_params(path)
    for section in ("experiments", "studies"):
        assert set(added.get(section, ())) <= set(getattr(found, section))


def constants(path: str) -> ModuleType:
    """A module of tests, for what it says of itself."""
    spec = spec_from_file_location(f"counted_{Path(path).stem}", ROOT / "tests" / path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_faults_counts_what_the_tests_do():
    killed, damage = constants("stages/test_killed.py"), constants("test_damage.py")
    disks, hostile = constants("test_disks.py"), constants("test_hostile.py")
    servers, variants = constants("tracking/test_servers.py"), constants("core/test_variants.py")
    experiments = constants("stages/test_experiments.py")
    names = len(hostile.NAMES) * len(hostile.SECTIONS)
    arguments = len(hostile.COMMANDS) * len(hostile.ARGUMENTS)
    databases = len(disks.DATABASES)  # one on a full disk, one on a read-only one
    expected = [
        sum(killed.KILLS.values()),
        constants("resilience/studies/test_running.py").KILLS,
        len(killed.REPRO_KILLS),
        killed.TRACK_KILLS,
        len(servers.FAILING),
        1,
        len(experiments.CELLS),
        len(disks.COMMANDS) + databases // 2,
        len(disks.COMMANDS) + len(disks.STUDIES) + databases // 2,
        len(disks.LIMITS),
        sum(times for times, _ in damage.CHECKED.values()),
        damage.TEXT_TIMES * len(damage.UNCHECKED),
        len(damage.SWAPPED),
        len(hostile.PICKLES) + len(hostile.LAYERS) + len(hostile.TAGS),
        names + arguments,
        8,
        2 * variants.QUICK + variants.THOROUGH,
    ]
    table = README.split("## When things break")[1].split("\n## ")[0]
    found = re.findall(r"^\| .+ \| ([\d,]+) \| .+ \|$", table, re.MULTILINE)
    assert [int(number.replace(",", "")) for number in found] == expected


def test_every_parameter_it_names_exists():
    yaml = YAML(typ="safe")
    for key in re.findall(r"-S (\S+)=", README):
        section = yaml.load((ROOT / "params.yaml").read_text())
        for part in key.split("."):
            assert part in section, key
            section = section[part]
