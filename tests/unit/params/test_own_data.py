"""Datasets made of the user's own files, and the errors of files that cannot be used."""

import json
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML
from small import ROOT

from pipeline.params.load import load_params
from pipeline.problems.load import Problem
from pipeline.problems.shapes.data.grids import Grid
from pipeline.utils import inputs, paths
from pipeline.utils.errors import InputError

COUNTS = "seed: 1, replicas: 2, train: 4, validation: 1, test: 1"
EXPERIMENTS = """
experiments:
  writer:
    problem: text
    dataset: own
    framing: {sample: sequence, window: 2}
    model: {cells: 4}
    training:
      {seed: 1, replicas: 1, sequences: 2, batch_size: 1, loss: categorical_crossentropy,
      learning_rate: 0.01}
studies: {}
"""
SHAPE_EXPERIMENTS = """
experiments:
  drawer:
    problem: shapes
    dataset: own
    framing: {sample: shape}
    model: {cells: 4}
    training: {seed: 1, replicas: 1, sequences: 2, batch_size: 1, loss: mae, learning_rate: 0.01}
studies: {}
"""
ECHO_EXPERIMENTS = EXPERIMENTS.replace("writer", "echoer").replace("text", "echo")
ECHO_EXPERIMENTS = ECHO_EXPERIMENTS.replace("sample: sequence, window: 2", "window: 2, echo: 2")
ECHO_EXPERIMENTS = ECHO_EXPERIMENTS.replace("cells: 4", "architecture: lstm, cells: 4")


@pytest.fixture
def own(in_folder, tmp_path):
    """Write files to inputs/ and load params.yaml with a dataset `own`; returns that dataset."""

    def load(keys: str, files: dict[str, bytes | str], problem: str = "text"):
        kinds = {"text": EXPERIMENTS, "echo": ECHO_EXPERIMENTS, "shapes": SHAPE_EXPERIMENTS}
        experiments = kinds[problem]
        in_folder(f"datasets:\n  own: {{problem: {problem}, {COUNTS}, {keys}}}\n{experiments}")
        for name, content in files.items():
            path = paths.inputs() / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_params(paths.params()).datasets["own"]

    return load


TEXT = "corpus: file, length: 4, path: "
LONG = "The cat sat on the mat.\n" * 3


def test_a_text_is_read_whatever_its_line_ends_and_marks(own):
    text = b"Cafe\xcc\x81\r\nau lait, \xf0\x9f\x98\x80 \r" * 3
    dataset = own(TEXT + "a.txt", {"a.txt": b"\xef\xbb\xbf" + text})
    assert dataset.alphabet == "".join(sorted(set("Caf\u00e9\nau lait, \U0001f600 \n")))
    arrays = Problem("text").data.generate(dataset)
    assert arrays["train"].dtype == np.uint8
    assert arrays["train"].shape == (2, 4, 5)


def test_a_folder_is_all_of_its_files_in_order(own):
    files = {"b/two.txt": LONG, "b/one.txt": LONG, "b/.hidden": "x", "b/one.txt.dvc": "x"}
    dataset = own(TEXT + "b", files)
    assert dataset.contents.names == ("inputs/b/one.txt", "inputs/b/two.txt")


def test_a_glob_selects_files(own):
    assert own(TEXT + "'*.txt'", {"a.txt": LONG, "b.md": "@"}).contents.names == ("inputs/a.txt",)


def test_rare_characters_become_one_unknown_character(own):
    dataset = own(TEXT + "a.txt, min_count: 3", {"a.txt": LONG + "#%"})
    assert (dataset.contents.rare, dataset.alphabet[-1]) == ("#%", "\ufffd")
    arrays = Problem("text").data.generate(dataset)
    assert len(dataset.alphabet) - 1 in arrays["test"]


def test_the_end_is_held_out_by_default(own):
    dataset = own(TEXT + "a.txt", {"a.txt": "abcdefghij" * 2 + "VWXYZ12345"})
    arrays = Problem("text").data.generate(dataset)
    decoded = [
        "".join(dataset.alphabet[code] for code in arrays[part][0])
        for part in ("validation", "test")
    ]
    assert decoded == ["WXYZ1", "2345\n"]


def test_complete_files_can_be_held_out(own):
    files = {f"{name}.txt": name * 40 for name in "abcd"}
    arrays = Problem("text").data.generate(own(TEXT + "., split: files", files))
    parts = [set(np.unique(arrays[part]).tolist()) for part in ("train", "validation", "test")]
    newline = 0
    assert [len(part - {newline}) for part in parts] == [2, 1, 1]


def test_alphabets_of_more_than_256_characters_have_wider_codes(own):
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    arrays = Problem("text").data.generate(own(TEXT + "a.txt", {"a.txt": text}))
    assert arrays["train"].dtype == np.uint16


@pytest.mark.parametrize(
    ("keys", "files", "message"),
    [
        ("a.txt", {}, "path: inputs/a.txt: does not exist"),
        ("a.txt", {"a.txt": ""}, "path: inputs/a.txt: has no text"),
        ("empty", {"empty/.keep": ""}, "path: inputs/empty: has no files"),
        (
            "a.txt",
            {"a.txt": b"good\nbad \xff"},
            "path: inputs/a.txt:2: is not utf-8 (byte 9: 0xff)",
        ),
        ("a.txt", {"a.txt": "one\ntwo\0"}, "path: inputs/a.txt:2: has a NUL character"),
        ("a.txt, encoding: klingon", {"a.txt": LONG}, "encoding: must be one that Python knows"),
        ("a.txt, encoding: base64", {"a.txt": LONG}, "encoding: must be one that Python knows"),
        (
            "a.txt",
            {"a.txt": LONG.encode("utf-16")},
            "path: inputs/a.txt:1: is not utf-8 (byte 0: 0xff); set encoding: utf-16",
        ),
        (
            "a.txt, min_count: 99",
            {"a.txt": LONG},
            "path: inputs/a.txt: has no character that occurs min_count = 99 times",
        ),
        (
            "a.txt, split: files",
            {"a.txt": LONG},
            "path: must name at least 3 files for split: files, got 1: a.txt",
        ),
        (
            "b.txt",
            {"b.txt.dvc": ""},
            "path: inputs/b.txt: is not here; run: dvc pull inputs/b.txt.dvc",
        ),
        ("../a.txt", {}, "path: must be a path inside inputs/, got '../a.txt'"),
        ("/etc/passwd", {}, "path: must be a path inside inputs/, got '/etc/passwd'"),
        ("a.txt", {"a.txt": "abcdefghij"}, "path: a.txt has 11 characters, 4 too few"),
    ],
)
def test_a_text_that_cannot_be_used_is_an_error_with_its_place(own, keys, files, message):
    with pytest.raises(InputError) as caught:
        own(TEXT + keys, files)
    assert str(caught.value).startswith(f"params.yaml: datasets.own.{message}")


def test_links_out_of_the_folder_and_loops_are_refused(own, tmp_path):
    own(TEXT + "a.txt", {"a.txt": LONG})
    (paths.inputs() / "out.txt").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match=r"inputs/out\.txt: is a link out of inputs/"):
        inputs.find("out.txt")
    (paths.inputs() / "loop.txt").symlink_to("loop.txt")
    with pytest.raises(InputError, match=r"inputs/loop\.txt: (does not exist|cannot be read)"):
        inputs.find("loop.txt")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(own):
    own(TEXT + "a.txt", {"a.txt": LONG})
    with (paths.inputs() / "huge.txt").open("wb") as file:
        file.truncate(5 * 2**30)
    with pytest.raises(InputError, match=r"has 5\.0 GiB; at most 1 GiB are read"):
        inputs.find("huge.txt")


ECHO = "source: file, path: "
ROWS = "1 2 3\n4,5,6\n7\t8\t0\n\n1; 1; 1\n"


def test_sequences_are_lines_of_integers(own):
    dataset = own(ECHO + "a.csv", {"a.csv": ROWS}, "echo")
    assert (dataset.length, dataset.classes) == (3, 9)
    arrays = Problem("echo").data.generate(dataset)
    assert arrays["train"].shape == (2, 4, 3)
    assert arrays["validation"].tolist() == [[7, 8, 0]]
    assert arrays["test"].tolist() == [[1, 1, 1]]
    assert {tuple(row) for row in arrays["train"][0].tolist()} == {(1, 2, 3), (4, 5, 6)}


@pytest.mark.parametrize(
    ("keys", "files", "message"),
    [
        (
            "a.csv",
            {"a.csv": "1 2\n3 x\n"},
            "path: inputs/a.csv:2: must be an integer from 0 to 255, got 'x'",
        ),
        (
            "a.csv",
            {"a.csv": "1 2\n3 256\n"},
            "path: inputs/a.csv:2: must be an integer from 0 to 255",
        ),
        (
            "a.csv",
            {"a.csv": "1 2\n\n3\n"},
            "path: inputs/a.csv:3: must have 2 integers, as the first line, got 1",
        ),
        ("a.csv", {"a.csv": "\n"}, "path: inputs/a.csv: has no integers"),
        ("a.csv", {"a.csv": "1,,2\n"}, "path: inputs/a.csv:1: has an empty cell"),
        ("a.csv", {"a.csv": "1 2\n3 4"}, "path: a.csv has 2 sequences, 1 too few"),
        ("a.csv, classes: 5", {"a.csv": ROWS}, "classes: must be more than 8"),
        ("a.csv, length: 5", {"a.csv": ROWS}, "length: must be 3, as in a.csv, got 5"),
    ],
)
def test_sequences_that_cannot_be_used_are_an_error_with_their_place(own, keys, files, message):
    with pytest.raises(InputError) as caught:
        own(ECHO + keys, files, "echo")
    assert str(caught.value).startswith(f"params.yaml: datasets.own.{message}")


def test_lines_of_any_length_fit_the_defaults_of_the_laboratory(own):
    defaults = YAML(typ="safe").load(ROOT / "params.yaml")["defaults"]["echo"]["dataset"]
    assert not {"length", "classes"} & defaults.keys()


def test_files_that_changed_since_they_were_loaded_are_refused(own):
    dataset = own(ECHO + "a.csv", {"a.csv": ROWS}, "echo")
    path = Path(paths.inputs() / "a.csv")
    path.write_text("9 9 9\n" * 4)
    with pytest.raises(InputError, match=r"inputs/a\.csv: the files are not those of the dataset"):
        Problem("echo").data.generate(dataset)


SHAPES = "shape: file, path: "


def rectangles(count: int) -> np.ndarray:
    """Rectangles (S, 4, 2) somewhere in the plane, in meters."""
    rng = np.random.default_rng(1)
    width, height = rng.uniform(10, 50, (2, count))
    zero = np.zeros(count)
    corners = np.stack([[zero, zero], [width, zero], [width, height], [zero, height]]).T
    return np.moveaxis(corners, 1, 2) + rng.uniform(-100, 100, (count, 1, 2))


def as_csv(polygons: np.ndarray, header: str = "") -> str:
    rows = [",".join(map(str, polygon.ravel())) for polygon in polygons]
    return "\n".join([header] * bool(header) + rows)


@pytest.fixture
def polygons(own):
    """Load a dataset of polygons, and generate its data."""

    def load(content: str, name: str = "a.csv", keys: str = ""):
        dataset = own(f"{SHAPES}{name}{keys}", {name: content}, "shapes")
        return dataset, Problem("shapes").data.generate(dataset)

    return load


def test_polygons_are_moved_to_the_origin_and_scaled_together(polygons):
    original = rectangles(20)
    dataset, arrays = polygons(as_csv(original, "x1,y1,x2,y2,x3,y3,x4,y4"))
    assert arrays["test"].shape == (1, 4, 2)
    expected = (original[-1] - original[-1, 0]) / dataset.contents.scale
    np.testing.assert_allclose(arrays["test"][0], expected, atol=1e-6)
    assert np.abs(arrays["train"]).max() <= 1


def test_the_family_of_rectangles_is_found(polygons):
    dataset, arrays = polygons(as_csv(rectangles(50)))
    family = dataset.family
    assert family.parameters == ("p1", "p2")
    assert family.restricted
    shapes = arrays["train"][0].astype(float)
    np.testing.assert_allclose(family.nearest(shapes), shapes, atol=1e-6)
    theta = family.theta(shapes)
    assert ((theta > -1e-6) & (theta < 1 + 1e-6)).all()
    bent = shapes + np.array([[0, 0], [0.1, 0], [0, 0], [0, 0]])
    assert np.abs(family.nearest(bent) - bent).max() > 0.01


def test_polygons_without_a_relation_have_all_parameters(polygons):
    rng = np.random.default_rng(2)
    dataset, _ = polygons(as_csv(rng.normal(size=(50, 4, 2))))
    assert len(dataset.family.parameters) == 6
    assert not dataset.family.restricted


@pytest.mark.parametrize("fixed", [0, 1])
def test_shapes_that_never_vary_in_one_direction_have_finite_steps(polygons, fixed):
    shapes = rectangles(20)
    shapes[:, :, fixed] = [[0, 1, 1, 0], [0, 0, 1, 1]][fixed]
    _, arrays = polygons(as_csv(shapes))
    dataset, _ = polygons(as_csv(shapes))
    steps = Grid(dataset.family, None).to_steps(arrays["train"][0])
    assert np.isfinite(steps).all()


def test_tokens_are_exact_wherever_the_first_vertex_is(polygons):
    shapes = np.roll(rectangles(20), 2, axis=1)  # from the upper right
    dataset, arrays = polygons(as_csv(shapes))
    grid = Grid(dataset.family, 32)
    bins = grid.to_bins(arrays["train"][0])
    np.testing.assert_array_equal(grid.from_tokens(grid.to_tokens(bins)), bins)


def test_few_polygons_do_not_make_a_family(polygons):
    dataset, _ = polygons(as_csv(np.random.default_rng(3).normal(size=(5, 12, 2))))
    assert not dataset.family.restricted


def test_closed_rings_of_a_csv_are_opened(polygons):
    shapes = rectangles(6)
    _, expected = polygons(as_csv(shapes))
    _, arrays = polygons(as_csv(np.concatenate([shapes, shapes[:, :1]], axis=1)))
    np.testing.assert_array_equal(arrays["train"], expected["train"])


def test_json_and_geojson_are_read_like_csv(polygons):
    shapes = rectangles(6)
    _, expected = polygons(as_csv(shapes))
    rings = [[*polygon, polygon[0]] for polygon in shapes.tolist()]
    features = [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for ring in rings
    ]
    geojson = {"type": "FeatureCollection", "features": features}
    for name, document in (("a.json", shapes.tolist()), ("a.geojson", geojson)):
        _, arrays = polygons(json.dumps(document), name)
        np.testing.assert_array_equal(arrays["train"], expected["train"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "0,0,1,0,1\n", "a.csv:1: must have an even number of coordinates, at least 6"),
        ("a.csv", "0,0,1,0,1,1\n0,0,1,0,1,1,0,1", "a.csv:2: must have 3 vertices, as the first"),
        ("a.csv", "0,0,1,0,1,1\n0,0,1,0,1,nan", "a.csv:2: has a coordinate that is not finite"),
        ("a.csv", "0,0,1,0,1,1\n0,0,1,zero,1,1", "a.csv:2: must be a number, got 'zero'"),
        ("a.csv", "x,y\n", "a.csv: has no polygons"),
        ("a.csv", "0,0,1,0,1,1\n" * 4, "a.csv: all polygons are the same"),
        (
            "a.csv",
            "".join(f"{x},{x},{x + 0.1},{x},{x},{x + 0.1}\n" for x in (0.1, 0.3, 0.7, 1.1)),
            "a.csv: all polygons are the same",
        ),
        ("a.csv", "0,0,1,0,2,0\n0,0,1,0,3,0\n" * 2, "a.csv: all vertices lie on a horizontal or"),
        ("a.csv", "1e308,0,-1e308,0,1,1\n" * 4, "a.csv: has coordinates that are too far apart"),
        ("a.csv", "0;0;1,5;0;1;1\n", "a.csv:1: has semicolons and decimal commas; write decimal"),
        ("a.csv", "0,1,2,3,4,5\n", "a.csv:1: looks like a header of column numbers; remove it"),
        ("a.json", "[[[0, 0], [1, 0], [1, 1" + "0" * 400 + "]]]", "a.json: polygon 1: must be a"),
        ("a.json", '["12", "34"]', "a.json: polygon 1: must be a list of [x, y] of numbers"),
        (
            "a.geojson",
            '{"type": "MultiPolygon", "coordinates": [[], 5]}',
            "a.geojson: polygon 1: must be a list of [x, y] of numbers",
        ),
        ("a.csv", "0,0,1,0,1,1\n0,0,1,0,1,2", "a.csv has 2 polygons, 1 too few"),
        ("a.json", "[[[0, 0], [1, 0], [1, 1]], 3]", "a.json: polygon 2: must be a list of [x, y]"),
        ("a.json", "{", "a.json: is not JSON"),
    ],
)
def test_polygons_that_cannot_be_used_are_an_error_with_their_place(
    polygons, name, content, message
):
    with pytest.raises(InputError) as caught:
        polygons(content, name)
    assert message in str(caught.value)
