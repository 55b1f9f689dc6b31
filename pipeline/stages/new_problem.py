"""`pipeline new-problem`: writes a new problem, a running example to be changed."""

import keyword
import re
import shutil
from pathlib import Path

from ruamel.yaml import YAML, YAMLError

from pipeline import problems
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError

TEMPLATE = "_template"
ENTRIES = "params.yaml"  # in the template: what is added to params.yaml
TEST = "test_problem.py"  # in the template: the problem's test
MAX_NAME = 20
SECTIONS = ("datasets", "experiments", "studies")


def run(name: str) -> list[Path]:
    """Write the problem's folder and test, and add its dataset and experiment to params.yaml.

    Returns what was written or changed. Raises InputError, before anything is written, for a name
    that cannot be used or is taken.
    """
    if (
        not re.fullmatch(f"[a-z][a-z0-9]{{0,{MAX_NAME - 1}}}", name)
        or keyword.iskeyword(name)
        or not isinstance(YAML(typ="safe").load(name), str)  # such as `true`
    ):
        raise InputError(
            f"a problem's name must be at most {MAX_NAME} lower-case letters and digits, begin "
            f"with a letter, and mean nothing in Python or YAML, got {name!r}"
        )
    folder = paths.root() / "pipeline" / "problems" / name
    test = paths.root() / "tests" / "unit" / "problems" / f"test_{name}.py"
    for path in (folder, folder.with_suffix(".py"), test):
        if path.exists():
            raise InputError(f"{name}: {paths.relative(path)} already exists")
    template = {
        path.name: path.read_text(encoding="utf-8")
        .replace(TEMPLATE, name)
        .replace("TestTemplate", f"Test{name.capitalize()}")
        for path in sorted(Path(problems.__path__[0], TEMPLATE).iterdir())
        if path.is_file()
    }
    settings = _add_entries(name, paths.params().read_text(encoding="utf-8"), template.pop(ENTRIES))
    try:
        test.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(test, template.pop(TEST))
        with files.atomic_write(folder) as partial:
            partial.mkdir()
            for file, text in template.items():
                (partial / file).write_text(text, encoding="utf-8")
        files.write_text(paths.params(), settings)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        test.unlink(missing_ok=True)
        raise
    return [folder, test, paths.params()]


def _add_entries(name: str, settings: str, entries: str) -> str:
    """Insert the entries of each section at the beginning of that section."""
    try:
        document = YAML(typ="safe").load(settings)
        taken = [section for section in SECTIONS if name in (document[section] or ())]
    except (YAMLError, KeyError, TypeError):
        raise InputError(f"{paths.PARAMS}: cannot be read; run: pipeline check") from None
    if taken:
        raise InputError(f"{name}: {paths.PARAMS} already has this name in {taken[0]}")
    for section, lines in re.findall(r"^(\w+):\n((?: .*\n)+)", entries, re.MULTILINE):
        settings, count = re.subn(
            rf"^{section}:\n", f"{section}:\n{lines}", settings, flags=re.MULTILINE
        )
        if count != 1:
            raise InputError(
                f"{paths.PARAMS}: must have a line `{section}:`, followed by its entries"
            )
    return settings
