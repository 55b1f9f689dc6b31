"""What the cells of networks that predict vertices hold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from small import small_config

from pipeline.engine.initialization import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import StoredResults
from pipeline.problems.shapes import analysis, data, model
from pipeline.problems.shapes.analysis.cells import hidden_states, variance_parts
from pipeline.problems.shapes.config.family import FAMILIES, Family
from pipeline.problems.shapes.figures.cells import cell_figures


def make_replicas(config) -> Replicas:
    return Replicas(
        model.build(config), initial_weights(lambda: model.build(config).model, [1, 2, 3])
    )


def with_memory():
    config = small_config("drawer")
    framing = config.experiment.framing.model_copy(update={"sample": "shape"})
    return config._replace(experiment=config.experiment.model_copy(update={"framing": framing}))


def test_a_cell_s_variance_is_split_into_place_sizes_and_the_rest():
    rng = np.random.default_rng(1)
    w, h = sizes = rng.random((2, 20_000)) - 0.5
    zero = np.zeros_like(w)
    by_cell = {  # states after three vertices
        "place": [zero, zero + 1, zero + 5],
        "width, then height": [zero, w, h],
        "width and place": [zero, 3 * w + 1, zero],
        "square of the width": [w**2, w**2, w**2],
        "constant": [zero + 7, zero + 7, zero + 7],
    }
    states = np.stack([np.stack(steps, axis=1) for steps in by_cell.values()], axis=-1)
    parts = dict(zip(by_cell, variance_parts(states, sizes.T), strict=True))
    assert parts["place"] == pytest.approx([np.var([0, 1, 5]), 0, 0, 0])
    assert parts["width, then height"] == pytest.approx([0, 1 / 36, 1 / 36, 0], abs=1e-3)
    assert parts["width and place"] == pytest.approx([2 / 9, 1 / 4, 0, 0], abs=1e-2)
    assert parts["square of the width"] == pytest.approx([0, 0, 0, 1 / 180], abs=1e-4)
    assert not parts["constant"].any()


def test_the_output_layer_reads_the_predictions_from_the_hidden_states():
    config = with_memory()
    replicas, test = make_replicas(config), data.generate(config.dataset)["test"]
    predicted = replicas.predict(test[None, :, :-1], test[None, :, 1:])["vertices"]
    model_ = replicas.network.model
    for replica, states in enumerate(hidden_states(replicas, test)):
        model_.set_weights([weight[replica] for weight in replicas.weights])
        kernel, bias = model_.get_layer("next_vertices").get_weights()
        np.testing.assert_allclose(states @ kernel + bias, predicted[replica], atol=1e-5)


def test_only_networks_with_memory_have_a_figure_of_their_cells():
    for config, count in ((small_config("drawer"), 0), (with_memory(), 1)):
        replicas, test = make_replicas(config), data.generate(config.dataset)["test"]
        arrays = analysis.analyze(config, replicas, test, {}).predictions
        results = StoredResults({}, arrays, {"mae_regret": np.array([3.0, 1, 2])}, {}, test)
        captioned = cell_figures(config, results)
        assert len(captioned) == count
    titles = [axes.get_title() for axes in captioned[0].figure.axes]
    parts = [title.partition(":")[0] for title in titles if title]
    order = (
        "the place, then, of the other cells, the one that varies most with the width, then with"
    )
    assert f"the cell that varies most with {order} the height." in captioned[0].caption
    assert parts == [f"most variance by {part}" for part in ("place", "width", "height")]
    plt.close("all")


def test_shapes_with_many_sizes_are_traced(monkeypatch):
    def vertices(a, b, c, d, e):
        return [(0, 0), (a, 0), (a + b, c), (d, c), (0, e)]

    config = with_memory()
    monkeypatch.setitem(FAMILIES, config.dataset.shape, Family(vertices))
    replicas, test = make_replicas(config), data.generate(config.dataset)["test"]
    arrays = analysis.analyze(config, replicas, test, {}).predictions
    assert arrays["traced_sizes"].tolist() == [[0.2] * 5, [0.8] * 5]
    results = StoredResults({}, arrays, {"mae_regret": np.array([3.0, 1, 2])}, {}, test)
    (captioned,) = cell_figures(config, results)
    assert len(captioned.figure.legends or captioned.figure.subfigs[1].legends) == 1
    plt.close("all")


def test_the_title_of_a_cell_names_those_with_more_variance():
    config = with_memory()
    replicas, test = make_replicas(config), data.generate(config.dataset)["test"]
    arrays = analysis.analyze(config, replicas, test, {}).predictions
    variance = np.zeros_like(arrays["state_variance"])
    variance[:, 2], variance[:, 0] = 2, 1  # the third cell varies most with everything
    results = StoredResults(
        {}, arrays | {"state_variance": variance}, {"mae_regret": np.array([3.0, 1, 2])}, {}, test
    )
    titles = [axes.get_title() for axes in cell_figures(config, results)[0].figure.axes]
    cells = [title.partition("\n")[2] for title in titles if title]
    assert cells == ["cell 3", "cell 1 (after cell 3)", "cell 2 (after cell 3, cell 1)"]
    plt.close("all")
