"""The pictures of experiments with text, and of their arms together."""

import re

import numpy as np
import pytest
import writers

from pipeline.problems.base import Results
from pipeline.problems.text import figures, metrics
from pipeline.problems.text.data.examples import decode
from pipeline.utils.statistics import summary


def results(case) -> Results:
    """What could have been found of three replicas that differ a little."""
    seen = np.array([1, 2, 4])
    history = {"sequences": seen, "updates": 12 * seen, "train_loss": np.ones((3, 3))}
    for name in ("bits_per_character", "train_bits_per_character", "accuracy"):
        history[name] = np.tile(np.linspace(3, 1, 3), (3, 1))
    values = {"bits_per_character": 2.0, "accuracy": 0.4, "known_words": 0.5, "longest_copy": 9.0}
    found = {name: value + np.array([-0.01, 0, 0.01]) for name, value in values.items()}
    letters = len(case.dataset.alphabet)
    codes = np.arange(4 * 90).reshape(1, 4, 90) % letters
    predictions = {
        "text": np.arange(96) % letters,
        "bits": np.tile(np.append(np.nan, np.linspace(0, 9, 95)), (3, 1)),
        "by_place": np.tile(np.linspace(3, 2, 16), (3, 1)),
        "start": np.array([3]),
        "written": codes,
        "temperatures": np.array(metrics.TEMPERATURES),
        "early": codes[0, :2, :40],
        "early_seen": np.array([2, 4]),
    }
    lines = {"uniform": 3.0, "order-5 n-gram": 1.9, metrics.FLOOR: 0.5}
    references = {"bits_per_character": lines, "known_words": {metrics.HELD_OUT: 0.9}}
    references["longest_copy"] = {metrics.HELD_OUT: 12}
    return Results(history, predictions, found, references, np.zeros((2, 49), np.uint8))


def names(pictures) -> list[str]:
    assert all(picture.caption.endswith(".") for picture in pictures)
    return [picture.name for picture in pictures]


def test_an_experiment_has_its_pictures_alone_and_as_an_arm():
    case = writers.config("sequence", 4)
    found = results(case)
    alone = names(figures.figures(case, found))
    assert alone == ["learning-curve", "samples", "surprise", "places"]
    both = names(figures.together({"one": (case, found), "two": (case, found)}))
    assert both == ["learning-curves", "bits", "samples", "places"]
    assert set(figures.steps(case, found)["written"]) == {2, 4}


def test_what_was_written_stands_in_the_picture_and_dollars_are_no_formulas():
    case = writers.config(dataset={"text": "a$b_$c^\n" * 9})
    codes = np.arange(100) % len(case.dataset.alphabet)
    figure = figures.page(case, {"one": codes, "two": codes[:3]})
    figure.draw_without_rendering()
    (axes,) = figure.axes
    said = [text.get_text() for text in axes.texts]
    text = decode(codes, case.dataset.alphabet).replace("\n", "⏎")
    assert said == ["one", text[:80], text[80:], "two", text[:3]]


def test_a_character_is_as_dark_as_it_was_surprising():
    case = writers.config("sequence", 4)
    figure = figures.surprise(case, results(case))
    image = figure.axes[0].images[0].get_array()
    assert image.shape == (2, 80)
    assert image.mask[0, 0]  # was not asked for
    assert image.mask[1, 16:].all()  # no text there
    assert (np.diff(image.compressed()) > 0).all()


def test_places_are_binned_ever_wider():
    x, means = figures._binned(np.arange(1, 101, dtype=float)[None])
    assert x[:3].tolist() == [1, 2, 3]
    assert (np.diff(x) >= 1).all()
    np.testing.assert_allclose(means[0], x)


def test_what_is_not_held_out_is_not_called_so():
    for dataset, said in (({}, False), (writers.DOCS, True)):
        case = writers.config("sequence", 4, dataset=dataset)
        variants = {"one": (case, results(case)), "two": (case, results(case))}
        pictures = [*figures.figures(case, results(case)), *figures.together(variants)]
        words = [picture.caption for picture in pictures]
        for picture in pictures:
            for axes in picture.figure.axes:
                words += [axes.get_xlabel(), axes.get_ylabel()]
                words += axes.get_legend_handles_labels()[1]
        found = [w for w in words if re.search("validation|test|held-out", w, re.IGNORECASE)]
        found = [words for words in found if "nothing is held out" not in words]
        assert bool(found) == said, found


def test_findings_of_a_text_that_is_not_held_out_compare_it_with_none():
    case = writers.config("sequence", 4)
    found = results(case)
    aggregated = {name: summary(values) for name, values in found.metrics.items()}
    lines = {"bits_per_character": found.references["bits_per_character"]}
    said = metrics.findings(case, aggregated, lines)
    assert said[0].startswith("The text costs it 2.000 bits per character, less than uniform")
    assert said[1:] == [
        "The longest passage that it copies from the training text has 9 characters on average."
    ]


def test_places_are_left_out_where_only_one_character_is_read():
    case = writers.config("one-to-many", 8)
    found = results(case)
    del found.predictions["by_place"]
    assert "places" not in names(figures.figures(case, found))
    both = {"one": (case, found), "two": (writers.config("sequence", 4), results(case))}
    assert "places" in names(figures.together(both))


def test_findings_say_what_is_beaten_and_what_is_not():
    case = writers.config("sequence", 4, dataset=writers.DOCS)
    found = results(case)
    aggregated = {name: summary(values) for name, values in found.metrics.items()}
    said = metrics.findings(case, aggregated, found.references)
    assert said[0] == (
        "Held-out text costs it 2.000 bits per character, less than uniform (3.000) and more than "
        "order-5 n-gram (1.900), floor of the framing (0.500)."
    )
    assert "50% occur in the training text, and 90%" in said[1]
    assert len(said) == 3
    aggregated["parsed_lines"] = summary(np.array([0.4]))
    found.references["parsed_lines"] = {metrics.HELD_OUT: 0.8}
    assert (
        "Python parses 40% of its lines, and 80%"
        in metrics.findings(case, aggregated, found.references)[-1]
    )


@pytest.mark.parametrize("name", ["gist", "gallery"])
def test_texts_have_no_gallery(name):
    case = writers.config("sequence", 4)
    if name == "gallery":
        assert figures.gallery({"one": (case, {})}) is None
    else:
        assert set(metrics.preview(results(case).predictions)) == {"early", "early_seen", "start"}
