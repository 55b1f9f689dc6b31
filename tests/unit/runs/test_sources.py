"""The digests of the code that stages depend on."""

import pytest
from small import ROOT

from pipeline.problems.load import problem_names
from pipeline.runs import sources
from pipeline.utils.errors import InputError

CODE = '''"""A module."""

import math


def area(radius):
    """Return the area of a circle."""
    return math.pi * radius**2
'''


def digest(tmp_path, text: str) -> str:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"  # a new one: digests are kept by path
    path.write_text(text)
    return sources._digest(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A module.", "A module\nwith a longer docstring."),
        ("the area of a circle", "something"),
        ("import math\n", "import math  # for pi\n"),
        ("import math\n", "# for pi\n\n\nimport math\n"),
        ("import math\n\n", 'import math\n\nATTRIBUTE = 1\n"""What it is."""\n'),
    ],
)
def test_comments_and_docstrings_do_not_count(tmp_path, old, new):
    same = "ATTRIBUTE" not in new
    plain = CODE if same else CODE.replace(old, "import math\nATTRIBUTE = 1\n")
    assert digest(tmp_path, CODE.replace(old, new)) == digest(tmp_path, plain)


@pytest.mark.parametrize(
    ("old", "new"),
    [("radius**2", "radius**3"), ("math.pi", "'# no comment'"), ("return", "yield")],
)
def test_code_counts(tmp_path, old, new):
    assert digest(tmp_path, CODE.replace(old, new)) != digest(tmp_path, CODE)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import math\nx = (1,\ny = 2\n", "2: '(' was never closed"),
        ("def area():\nreturn 1\n", "2: expected an indented block after function definition"),
        ("x = 1\n  y = 2\n", "2: unexpected indent"),
        ('x = """\n', "1: unterminated triple-quoted string literal"),
    ],
)
def test_a_syntax_error_names_file_and_line(tmp_path, monkeypatch, code, error):
    monkeypatch.setattr(sources.paths, "root", lambda: tmp_path)
    path = tmp_path / "pipeline/problems/text/figures.py"
    path.parent.mkdir(parents=True)
    path.write_text(code)
    with pytest.raises(InputError) as caught:
        sources._digest(path)
    assert caught.value.messages[0].startswith(f"pipeline/problems/text/figures.py:{error}")


def test_leftovers_of_editors_do_not_count(tmp_path, monkeypatch):
    for name in ("__init__.py", "utils/seeds.py", "utils/paths.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(CODE)
    monkeypatch.setattr(sources.pipeline, "__file__", str(tmp_path / "__init__.py"))
    (tmp_path / "utils/.#seeds.py").symlink_to("user@host.123")  # Emacs' lock
    (tmp_path / "utils/._seeds.py").write_bytes(b"\x00\x05\x16\x07\xff")  # of macOS
    (tmp_path / "utils/.ipynb_checkpoints").mkdir()
    (tmp_path / "utils/.ipynb_checkpoints/seeds-checkpoint.py").write_text("def")
    (tmp_path / "utils/seeds.py.orig").write_text(CODE)
    assert list(sources.digests(["utils"], "melodies")) == ["utils/paths.py", "utils/seeds.py"]


@pytest.mark.parametrize(
    ("params", "used"),
    [
        ({"dataset": {"shape": "star"}}, {"star"}),
        ({"dataset": {"shape": ["star", "rectangle-8"]}}, {"star", "rectangle_8"}),
        ({"dataset": {"shape": "file"}}, set()),
        ({"name": "star", "star": {"dataset": {"shape": "circle"}}}, {"circle"}),
        (None, {"circle", "cross", "rectangle", "rectangle_8", "star"}),
    ],
)
def test_only_the_families_that_parameters_name_count(params, used):
    digests = sources.digests(["problems/{problem}/config/families"], "shapes", params)
    assert {path.rpartition("/")[2] for path in digests} == {
        "__init__.py",
        *(f"{name}.py" for name in used),
    }


def test_all_architectures_of_a_study_count():
    study = {
        "varied": {"experiment": {"model": {"architecture": "lstm"}}},
        "variants": {"all": {"model": {"architecture": "vector"}}},
        "space": {"model.architecture": ["features", "attention"]},
    }
    unused = sources.unused("echo", study)
    assert {path.rpartition("/")[2] for path in unused} == {"encoder_decoder.py", "memoryless.py"}


@pytest.mark.parametrize("problem", problem_names())
def test_validation_and_sentences_of_the_report_do_not_count(problem):
    names = {path.rpartition("/")[2] for path in sources.digests(sources.TRIAL, problem)}
    assert not names & {"validate.py", "report.py"}


def test_the_listed_code_exists():
    for problem in problem_names():
        for patterns in (sources.TRIAL, *sources.STAGES.values()):
            for pattern in patterns:
                path = ROOT / "pipeline" / pattern.format(problem=problem)
                optional = path.name in ("analysis", "figures")
                assert optional or path.exists() or path.with_suffix(".py").exists(), pattern
