"""The figures of experiments and of their variants, and the sentences of the report."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import writers
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import FontManager

from pipeline import plotting
from pipeline.problems.base import StoredResults
from pipeline.problems.text import figures, metrics
from pipeline.problems.text.data.examples import decode
from pipeline.problems.text.figures.experiment import _bin_positions
from pipeline.problems.text.figures.texts import plot_surprise, plot_texts
from pipeline.problems.text.metrics.evaluation import FLOOR, HELD_OUT, TEMPERATURES
from pipeline.utils.statistics import summary

SVG = "{http://www.w3.org/2000/svg}"


def make_results(config) -> StoredResults:
    """Plausible results of three replicas that differ slightly."""
    seen = np.array([1, 2, 4])
    history = {"sequences": seen, "updates": 12 * seen, "train_loss": np.ones((3, 3))}
    for name in ("bits_per_character", "train_bits_per_character", "accuracy"):
        history[name] = np.tile(np.linspace(3, 1, 3), (3, 1))
    means = {"bits_per_character": 2.0, "accuracy": 0.4, "known_words": 0.5, "longest_copy": 9.0}
    values = {name: mean + np.array([-0.01, 0, 0.01]) for name, mean in means.items()}
    alphabet_size = len(config.dataset.alphabet)
    codes = np.arange(4 * 90).reshape(1, 4, 90) % alphabet_size
    predictions = {
        "text": np.arange(96) % alphabet_size,
        "bits": np.tile(np.append(np.nan, np.linspace(0, 9, 95)), (3, 1)),
        "by_place": np.tile(np.linspace(3, 2, 16), (3, 1)),
        "start": np.array([3]),
        "written": codes,
        "temperatures": np.array(TEMPERATURES),
        "early": codes[0, :2, :40],
        "early_seen": np.array([2, 4]),
    }
    baselines = {"uniform": 3.0, "order-5 n-gram": 1.9, FLOOR: 0.5}
    references = {"bits_per_character": baselines, "known_words": {HELD_OUT: 0.9}}
    references["longest_copy"] = {HELD_OUT: 12}
    return StoredResults(history, predictions, values, references, np.zeros((2, 49), np.uint8))


def names(pictures) -> list[str]:
    assert all(picture.caption.endswith(".") for picture in pictures)
    return [picture.name for picture in pictures]


def test_experiments_and_variants_have_their_figures():
    config = writers.config("sequence", 4)
    results = make_results(config)
    single = names(figures.figures(config, results))
    assert single == ["learning-curve", "samples", "surprise", "places"]
    both = names(figures.plot_variants({"one": (config, results), "two": (config, results)}))
    assert both == ["learning-curves", "bits", "samples", "places"]
    assert set(figures.progress_images(config, results)["written"]) == {2, 4}


def test_texts_are_plotted_verbatim_even_with_dollar_signs():
    config = writers.config(dataset={"text": "a$b_$c^\n" * 9})
    codes = np.arange(100) % len(config.dataset.alphabet)
    figure = plot_texts(config, {"one": codes, "two": codes[:3]})
    figure.draw_without_rendering()
    (axes,) = figure.axes
    plotted = [text.get_text() for text in axes.texts]
    text = decode(codes, config.dataset.alphabet).replace("\n", "⏎")
    lines = ["one", text[:80], text[80:], "two", text[:3]]
    assert plotted == [line.replace(" ", "\N{NO-BREAK SPACE}") for line in lines]


def svg_text(text: str, path) -> str:
    """Plot a text, and return what an SVG reader finds in the file."""
    config = writers.config(dataset={"text": text * 9})
    codes = np.array([config.dataset.alphabet.index(character) for character in text])
    plotting.save(plot_texts(config, {"": codes}), path)
    root = ElementTree.parse(path).getroot()
    return "\n".join(filter(None, (element.text for element in root.iter(f"{SVG}text"))))


def test_an_svg_has_the_text_with_its_spaces(tmp_path):
    assert svg_text("if a:  return 中😀é\n", tmp_path / "a.svg") == (
        "if a:  return 中😀é⏎".replace(" ", "\N{NO-BREAK SPACE}")
    )


def test_control_characters_become_visible(tmp_path):
    assert svg_text("a\x0cb\x1b\t\x7f\x85\ufffe", tmp_path / "a.svg") == "a␌b␛␉␡\ufffd\ufffd"


def test_lines_of_wide_characters_are_half_as_long(tmp_path):
    lines = svg_text("中文" * 30, tmp_path / "a.svg").split("\n")
    assert [len(line) for line in lines] == [40, 20]


@pytest.mark.filterwarnings("error")
def test_an_installed_font_draws_what_matplotlib_s_own_lack(tmp_path, monkeypatch):
    font = FontBuilder(1000)
    font.setupGlyphOrder([".notdef", "square"])
    font.setupCharacterMap({ord("中"): "square"})
    pen = TTGlyphPen(None)
    for number, corner in enumerate([(100, 100), (100, 900), (900, 900), (900, 100)]):
        (pen.lineTo if number else pen.moveTo)(corner)
    pen.closePath()
    font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 100)})
    font.setupHorizontalHeader(ascent=900, descent=0)
    font.setupNameTable({"familyName": plotting.OTHER_FONTS[0], "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(tmp_path / "font.ttf")
    manager = FontManager()
    manager.addfont(tmp_path / "font.ttf")
    monkeypatch.setattr(plotting, "fontManager", manager)
    plotting._monospace.cache_clear()
    assert plotting.monospace("中") == ["monospace", plotting.OTHER_FONTS[0]]
    assert plotting.monospace("é") == ["monospace"]
    plotting._monospace.cache_clear()


def test_characters_that_cost_more_bits_are_darker():
    config = writers.config("sequence", 4)
    cells = plot_surprise(config, make_results(config)).axes[0].images[0].get_array()
    assert cells.shape == (2, 80)
    assert cells.mask[0, :2].all()  # the first character, and one that was not predicted
    assert cells.mask[1, 17:].all()  # after the end of the text
    assert (np.diff(cells.compressed()) > 0).all()


def test_bins_of_positions_grow():
    x, means = _bin_positions(np.arange(1, 101, dtype=float)[None])
    assert x[:3].tolist() == [1, 2, 3]
    assert (np.diff(x) >= 1).all()
    np.testing.assert_allclose(means[0], x)


def test_figures_mention_held_out_text_only_if_there_is_any():
    for dataset, expected in (({}, False), (writers.DOCS, True)):
        config = writers.config("sequence", 4, dataset=dataset)
        results = make_results(config)
        variants = {"one": (config, results), "two": (config, results)}
        pictures = [*figures.figures(config, results), *figures.plot_variants(variants)]
        words = [picture.caption for picture in pictures]
        for picture in pictures:
            for axes in picture.figure.axes:
                words += [axes.get_xlabel(), axes.get_ylabel()]
                words += axes.get_legend_handles_labels()[1]
        mentions = [w for w in words if re.search("validation|test|held-out", w, re.IGNORECASE)]
        assert bool(mentions) == expected, mentions


def test_positions_are_not_plotted_for_networks_that_read_one_character():
    config = writers.config("one-to-many", 8)
    results = make_results(config)
    del results.predictions["by_place"]
    assert "places" not in names(figures.figures(config, results))
    other = writers.config("sequence", 4)
    both = {"one": (config, results), "two": (other, make_results(other))}
    assert "places" in names(figures.plot_variants(both))


def test_the_summary_of_a_text_without_held_out_part_compares_with_baselines_only():
    config = writers.config("sequence", 4)
    results = make_results(config)
    aggregated = {name: summary(values) for name, values in results.metrics.items()}
    references = {"bits_per_character": results.references["bits_per_character"]}
    assert metrics.summarize(config, aggregated, references) == [
        "The network needs 2.000 bits per character on the text: fewer than uniform (3.000); more "
        "than order-5 n-gram (1.900) and floor of the framing (0.500).",
        "The longest passage that it copies from the training text has 9 characters on average.",
    ]


def test_the_summary_compares_with_baselines_and_held_out_text():
    config = writers.config("sequence", 4, dataset=writers.DOCS)
    results = make_results(config)
    aggregated = {name: summary(values) for name, values in results.metrics.items()}
    sentences = metrics.summarize(config, aggregated, results.references)
    assert len(sentences) == 3
    assert sentences[0].startswith("The network needs 2.000 bits per character on held-out text")
    assert "50% occur in the training text; of the words in held-out text, 90% do" in sentences[1]
    assert "has 9 characters on average" in sentences[2]
    assert "the longest such passage has 12." in sentences[2]
    aggregated["parsed_lines"] = summary(np.array([0.4]))
    results.references["parsed_lines"] = {HELD_OUT: 0.8}
    sentences = metrics.summarize(config, aggregated, results.references)
    assert sentences[-1] == (
        "Python parses 40% of the lines that it writes at temperature 1, and 80% of the held-out "
        "lines."
    )


def test_the_preview_keeps_the_texts_written_during_training():
    config = writers.config("sequence", 4)
    preview = metrics.preview(make_results(config).predictions)
    assert set(preview) == {"early", "early_seen", "start"}


def test_positions_are_compared_with_the_best_order_of_n_grams():
    config = writers.config("sequence", 4)
    results = make_results(config)
    bits = results.references["bits_per_character"]
    bits |= {"order-5 n-gram": 1.9, "order-10 n-gram": 1.8, "bz2": 1.7}
    places = {entry.name: entry for entry in figures.figures(config, results)}["places"]
    assert "the order-10 n-gram, the best of the orders tried" in places.caption
    (axes,) = places.figure.axes
    assert [line.get_label() for line in axes.lines] == ["network", "order-10 n-gram: 1.800"]
