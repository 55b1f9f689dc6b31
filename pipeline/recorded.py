"""What DVC recorded of the files that stages left: whether they still are what they were.

DVC looks before it runs a stage. Commands that are run by hand look here: CSV and JSON carry no
checksum, and a folder of another training is as whole as the right one.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ruamel.yaml import YAML

from pipeline.utils import console, paths
from pipeline.utils.errors import InputError

IGNORED = re.compile(r"__pycache__|\..*\.(partial|replaced)")
"""What Python leaves in a folder (as in .dvcignore), and what a killed process does (files.py)."""

warned: list[str] = []
"""Paths of which this process has said that they are not what DVC recorded."""


def warn_of_inputs(stage: str) -> None:
    """Say which of the files that a stage reads are not what DVC recorded."""
    _warn(lambda stages: [entry["path"] for entry in stages[stage]["deps"]])


def warn_of_results(stage: str | None = None) -> None:
    """Say which of the files that a stage left, or any stage, are not what DVC recorded."""
    _warn(
        lambda stages: [
            entry["path"]
            for name, found in stages.items()
            if stage in (None, name)
            for entry in found["outs"]
        ]
    )


def results(stage: str) -> list[str]:
    """The paths of what a stage leaves; none if nothing of it is recorded."""
    try:
        text = (paths.root() / "dvc.lock").read_text(encoding="utf-8")
        return [out["path"] for out in YAML(typ="safe").load(text)["stages"][stage]["outs"]]
    except Exception:  # it serves a message about something else
        return []


def _warn(paths_in) -> None:
    if "DVC_STAGE" in os.environ:  # DVC has looked, and now replaces what it recorded
        return
    try:
        root = paths.root()
        text = (root / "dvc.lock").read_text(encoding="utf-8")
        stages = YAML(typ="safe").load(text)["stages"]
        changed = list(_changed(root, stages, paths_in(stages)))
    except (InputError, FileNotFoundError):  # nothing is recorded yet
        return
    except KeyError:  # nothing of this stage, or of another version of DVC
        return
    except Exception as error:  # a damaged dvc.lock, which is DVC's own to mend
        console.print_status(f"warning: dvc.lock: cannot be read ({type(error).__name__})")
        return
    for path, owner in changed:
        warned.append(path)
        console.print_status(
            f"warning: {path} is not what dvc.lock records of {owner}: damaged, or made by hand; "
            f"make it anew with: dvc repro {owner}"
        )


def _changed(root: Path, stages: dict, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The results inside of any of these paths that are others than recorded, and their stages."""
    for owner, found in stages.items():
        for out in found.get("outs", []):
            path = out["path"]
            read = any(f"{path}/".startswith(f"{wanted}/") for wanted in paths)
            if read and (root / path).exists() and md5(root / path) != out["md5"]:
                yield path, owner


def md5(path: Path) -> str:
    """The digest of a file or a folder, as DVC 3 writes it."""
    if not path.is_dir():
        return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    inside = {
        file.relative_to(path).as_posix(): md5(file)
        for file in path.rglob("*")
        if file.is_file() and not any(map(IGNORED.fullmatch, file.relative_to(path).parts))
    }
    listed = [{"md5": digest, "relpath": name} for name, digest in sorted(inside.items())]
    content = json.dumps(listed, sort_keys=True).encode()
    return hashlib.md5(content, usedforsecurity=False).hexdigest() + ".dir"
