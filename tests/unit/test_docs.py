"""The documentation: its commands parse, its examples are valid, and its links lead somewhere."""

import re
import runpy
import shlex

import pytest
from dvc.cli.parser import get_main_parser
from ruamel.yaml import YAML
from small import ROOT
from typer.main import get_command

from pipeline.cli.app import app
from pipeline.params.load import load_params
from pipeline.params.load_report import load_report

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
HISTORY = {"pipeline track"}  # commands of earlier versions, which the changelog names


def commands(text: str) -> list[list[str]]:
    """The words of all commands of a page, in blocks and in lines."""
    lines = []
    for kind, block in re.findall(r"```(bash|console)\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if kind == "bash" or line.startswith("$ "):
                lines.append(line.removeprefix("$ "))
    inline = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    lines += re.findall(r"`((?:pipeline|make|dvc) [^`\n]+)`", inline)
    lines = [line for line in lines if line not in HISTORY]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


COMMANDS = [(page.name, words) for page in PAGES for words in commands(page.read_text("utf-8"))]


def of(program: str) -> list[tuple[str, list[str]]]:
    return [(page, words) for page, words in COMMANDS if words[0] == program and len(words) > 1]


@pytest.mark.parametrize(("page", "words"), of("pipeline"), ids=str)
def test_pipeline_commands_exist_with_their_options(page, words):
    if words[1].startswith("-"):
        return
    parameters = get_command(app).commands[words[1]].params
    options = {option for parameter in parameters for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize(("page", "words"), of("make"), ids=str)
def test_make_targets_exist(page, words):
    assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("page", "words"), of("dvc"), ids=str)
def test_dvc_commands_parse(page, words):
    if words[1].startswith("-"):
        return
    get_main_parser().parse_args(words[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_anchors_exist(page):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]+))?\)", page.read_text("utf-8")):
        if "://" in target:
            continue
        path = page.parent / target if target else page
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in slugs, f"{target}#{anchor}"


EXAMPLES = [
    (page.name, block)
    for page in PAGES
    if page.name not in ("own-data.md", "new-problem.md")  # run by tests in tests/integration
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
]


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_examples_of_settings_are_valid(page, example, tmp_path):
    """The first line of an example names the file that it extends."""
    yaml = YAML(typ="safe")
    for name in ("params.yaml", "report.yaml"):
        document = yaml.load((ROOT / name).read_text())
        if name in example.splitlines()[0]:
            for section, entries in yaml.load(example).items():
                if isinstance(entries, dict):
                    document[section] = document.get(section, {}) | entries
                else:
                    document[section] = entries
        with (tmp_path / name).open("w") as file:
            yaml.dump(document, file)
    load_report(tmp_path / "report.yaml", load_params(tmp_path / "params.yaml"))


def test_parameters_that_are_overridden_exist():
    params = load_params(ROOT / "params.yaml")
    keys = {word.lstrip("+") for _, words in of("dvc") for word in words if "experiments." in word}
    assert keys
    for key in keys:
        _, experiment, section, name = key.partition("=")[0].split(".")
        for config in params.configs(experiment):
            assert name in config.experiment.model_dump()[section], key


@pytest.mark.parametrize(
    ("path", "stays"), [("inputs/README.md", True), ("inputs/中文.txt", False), ("dvc.yaml", True)]
)
def test_a_skeleton_leaves_the_files_of_its_user_out(path, stays):
    left_out = runpy.run_path(str(ROOT / "docs/skeleton.py"))["LEFT_OUT"]
    assert stays == (not any(re.match(pattern, path) for pattern in left_out))


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150
