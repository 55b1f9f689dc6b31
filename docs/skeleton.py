"""Copy the pipeline without its problems, results and guides, as skeleton.md describes.

`python docs/skeleton.py FOLDER NAME` makes a new repository in FOLDER. It has one problem, NAME: an
example to be changed.
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_OUT = (
    ".ci/",
    ".github/",
    "benchmarks/",
    "docs/",
    "inputs/(?!README)",
    "pipeline/problems/(?!_template/|(base|load|__init__).py)",
    "reports/",
    "tests/(?!support/contract.py|unit/(engine/|tracking/test_locks.py|utils/test_(errors|statistics).py))",
    "(CHANGELOG|CONTRIBUTING).md",
    "dvc.lock",
)
"""Files that stay behind: patterns of the beginnings of their paths."""

LEFT_OUT_TARGETS = "bench|imports|screenshots|test-(all|processors|resilience)"  # of the Makefile

README = """\
# {name}

```bash
make repro
```

runs all experiments of `params.yaml`; results are in `reports/`. Commit them and `dvc.lock`.
`make ui` shows the runs in MLflow, `make test` runs the tests. The problem is in
`pipeline/problems/{name}/`.
"""


def main(folder: Path, name: str) -> None:
    """Write the repository and make its first commit."""
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"error: {folder} is not empty")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        write(partial, name)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except subprocess.CalledProcessError as error:
        print(error.stderr, end="", file=sys.stderr)
        sys.exit(error.returncode)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", f"A laboratory for {name}"], check=False)
    print(f"run it: cd {shlex.quote(str(folder))} && make repro")


def write(folder: Path, name: str) -> None:
    """Copy the files that stay, and write those that change."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for path in listed.stdout.rstrip("\0").split("\0"):
        if not any(re.match(pattern, path) for pattern in LEFT_OUT) and (ROOT / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / path)
    (folder / "params.yaml").write_text("datasets:\nexperiments:\nstudies: {}\n")
    (folder / "report.yaml").write_text("experiments: {}\n")
    (folder / "README.md").write_text(README.format(name=name))
    (folder / "inputs/README.md").write_text("Files that datasets are made of.\n")
    benchmarks = "      - reports/benchmarks/summary.json\n"
    remove(folder / "dvc.yaml", benchmarks)
    targets = rf"\n({LEFT_OUT_TARGETS}):.*\n(\t.*\n)*"
    remove(
        folder / "Makefile", " tests/integration", targets, rf" ({LEFT_OUT_TARGETS})(?= .*clean$)"
    )
    remove(folder / "pipeline/reporting/report.md.j2", r" The\n\[glossary\].*")
    command = [sys.executable, "-m", "pipeline", "new-problem", name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)


def remove(path: Path, *patterns: str) -> None:
    """Remove all that matches the patterns from a file."""
    text = path.read_text(encoding="utf-8")
    for pattern in patterns:
        text, count = re.subn(pattern, "", text, flags=re.MULTILINE)
        assert count, f"{path}: has nothing like {pattern!r}"
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python docs/skeleton.py FOLDER NAME")
    main(Path(sys.argv[1]).absolute(), sys.argv[2])
