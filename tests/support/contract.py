"""What every problem must do; tests in `unit/problems/` run it for each of them."""

import functools
import json

import matplotlib.pyplot as plt
import numpy as np
import pytest

from pipeline import plotting, schema
from pipeline.engine.initialization import initial_weights
from pipeline.engine.lstm import to_stock
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import CaptionedFigure, Evaluation, ServingPart, StoredResults
from pipeline.problems.load import Problem
from pipeline.reporting import learning_curves
from pipeline.utils.errors import InputError


class ProblemContract:
    """Tests of a problem with a small config: a subclass sets `config`."""

    config: schema.RunConfig

    @classmethod
    def problem(cls) -> Problem:
        return Problem(cls.config.experiment.problem)

    @classmethod
    @functools.cache
    def data(cls) -> dict[str, np.ndarray]:
        return cls.problem().data.generate(cls.config.dataset)

    @classmethod
    @functools.cache
    def replicas(cls) -> Replicas:
        """Two untrained replicas."""
        weights = initial_weights(lambda: cls.problem().model.build(cls.config).model, [1, 2])
        return Replicas(cls.problem().model.build(cls.config), weights)

    @classmethod
    @functools.cache
    def evaluated(cls) -> Evaluation:
        return cls.evaluate({})

    @classmethod
    def evaluate(cls, checkpoints: dict[int, list[np.ndarray]]) -> Evaluation:
        replicas, test = cls.replicas(), cls.data()["test"]
        evaluation = cls.problem().metrics.evaluate(
            cls.config, replicas, test, cls.history(), checkpoints
        )
        further = cls.problem().analysis.analyze(cls.config, replicas, test, evaluation.predictions)
        assert not evaluation.metrics.keys() & further.metrics.keys()
        assert not evaluation.predictions.keys() & further.predictions.keys()
        return evaluation._replace(
            metrics=evaluation.metrics | further.metrics,
            predictions=evaluation.predictions | further.predictions,
        )

    @classmethod
    @functools.cache
    def outputs(cls) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Targets (N, …) of the validation sequences, and the replicas' outputs (R, N, …)."""
        problem, training = cls.problem(), cls.config.experiment.training
        inputs, targets = problem.data.make_examples(cls.data()["validation"], cls.config)
        options = training.predict_options(problem.data.samples_per_sequence(cls.config))
        return targets, cls.replicas().predict(inputs[None], targets[None], **options)

    @classmethod
    @functools.cache
    def history(cls) -> dict[str, np.ndarray]:
        """Learning curves with two equal points."""
        point = cls.problem().metrics.curve_metrics(*cls.outputs())
        curves = {name: np.stack([values, values], axis=1) for name, values in point.items()}
        curves |= {"sequences": np.array([1, 2]), "updates": np.array([1, 2])}
        return curves | {"train_loss": np.ones((2, 2))}

    def test_train_data_are_generated_per_replica_and_held_out_data_once(self):
        arrays, dataset = self.data(), self.config.dataset
        assert set(arrays) >= {"train", "validation", "test"}  # a problem may add its metadata
        assert arrays["train"].shape[:2] == (dataset.replicas, dataset.train)
        for part in ("validation", "test"):
            assert len(arrays[part]) == getattr(dataset, part)
            assert arrays[part].shape[1:] == arrays["train"].shape[2:]

    def test_the_same_seed_generates_the_same_data(self):
        again = self.problem().data.generate(self.config.dataset)
        for one, two in zip(self.data().values(), again.values(), strict=True):
            np.testing.assert_array_equal(one, two)

    def test_examples_are_in_order_and_as_many_as_announced(self):
        make_examples = self.problem().data.make_examples
        train, count = self.data()["train"], self.problem().data.samples_per_sequence(self.config)
        inputs, targets = make_examples(train, self.config)
        assert inputs.shape[:2] == targets.shape[:2] == (len(train), train.shape[1] * count)
        of_one_replica, _ = make_examples(train[1], self.config)
        np.testing.assert_array_equal(inputs[1], of_one_replica)
        of_first_sequence, _ = make_examples(train[:, :1], self.config)
        np.testing.assert_array_equal(inputs[:, :count], of_first_sequence)

    def test_the_saved_network_consists_of_stock_keras_layers(self):
        for layer in to_stock(self.replicas().network.model).layers:
            assert type(layer).__module__.startswith("keras.")

    def test_no_layer_draws_random_numbers_in_training(self):
        network = self.replicas().network
        for model in (network.model, network.training_model or network.model):
            drawing = [layer.name for layer in model._flatten_layers() if draws(layer)]
            assert not drawing, f"{drawing}: layers must not draw random numbers, as dropout does"

    def test_names_of_weights_have_no_counters(self):
        """Otherwise the saved files of two trainings in one process would differ."""
        one, two = (self.problem().model.build(self.config).model for _ in range(2))
        assert [weight.path for weight in one.weights] == [weight.path for weight in two.weights]

    def test_curves_are_one_number_per_replica(self):
        targets, outputs = self.outputs()
        curve_metrics = self.problem().metrics.curve_metrics
        metrics = curve_metrics(targets, outputs)
        for name, values in metrics.items():
            assert values.shape == (2,), name
            assert np.isfinite(values).all()
        for per_replica in (targets[None], np.stack([targets, targets])):
            again = curve_metrics(per_replica, outputs)
            assert again.keys() == metrics.keys()
            for name, values in again.items():
                np.testing.assert_array_equal(values, metrics[name])

    def test_metrics_are_one_number_per_replica_and_have_labels(self):
        metrics = self.problem().metrics
        values = self.evaluated().metrics
        references = metrics.references(self.config, self.data()["test"])
        assert all(array.shape == (2,) for array in values.values())
        assert all(metrics.describe(name).label for name in (*values, *references))

    def test_evaluating_checkpoints_changes_neither_weights_nor_metrics(self):
        before = self.replicas().weights
        blank = [np.zeros_like(weight) for weight in before]
        evaluation = self.evaluate({9: blank, 2: before, 5: blank})
        for weight, expected in zip(self.replicas().weights, before, strict=True):
            np.testing.assert_array_equal(weight, expected)
        for name, values in self.evaluated().metrics.items():
            np.testing.assert_array_equal(evaluation.metrics[name], values)
        for key in {"steps", "early_seen"} & evaluation.predictions.keys():
            last = self.config.experiment.training.sequences_seen
            assert evaluation.predictions[key].tolist() == sorted({2, 5, 9, last})

    def test_figures_have_unique_names_and_captions(self):
        test, figures = self.data()["test"], self.problem().figures
        references = self.problem().metrics.references(self.config, test)
        metrics, predictions, _ = self.evaluated()
        results = StoredResults(self.history(), predictions, metrics, references, test)
        variants = {
            label: (self.config._replace(name=f"{self.config.name}/{label}"), results)
            for label in ("one", "two")
        }
        _check_figures(
            [
                *figures.figures(self.config, results),
                learning_curves.history(self.config, results),
            ]
        )
        _check_figures(
            [*figures.plot_variants(variants), learning_curves.variants_history(variants)]
        )

    def test_progress_images_and_the_gallery_need_only_the_preview(self):
        test, figures = self.data()["test"], self.problem().figures
        metrics, predictions, _ = self.evaluated()
        preview = self.problem().metrics.preview(predictions)
        assert set(preview) <= set(predictions)
        assert sum(array.nbytes for array in preview.values()) < 2**20
        results = StoredResults(self.history(), preview, metrics, {}, test)
        for images in figures.progress_images(self.config, results).values():
            for figure in images.values():
                figure.draw_without_rendering()
        rows = dict.fromkeys(("one", "two"), (self.config, preview))
        if gallery := figures.gallery(rows):
            _check_figures([gallery])

    def test_a_served_model_maps_rows_to_rows_of_plain_values(self):
        if self.problem().serving.input_example is ServingPart.input_example:
            return  # the problem has no part `serving`
        rows = self.problem().serving.input_example(self.config)
        predict = self.problem().serving.make_predictor(self.replicas(), self.config)
        answers = predict(rows)
        assert answers
        assert len({tuple(row) for row in answers}) == 1  # all rows have the same columns
        assert json.loads(json.dumps(answers)) == answers
        assert predict(rows) == answers
        optional = getattr(self.problem().serving, "OPTIONAL_INPUTS", {})
        shorter = [{key: row[key] for key in row if key not in optional} for row in rows]
        assert predict(shorter) == predict([row | optional for row in shorter])
        wrong = {**rows[0], next(iter(rows[0])): -5}
        with pytest.raises(InputError) as caught:
            predict([rows[0], wrong])
        assert caught.value.messages
        assert all(message.startswith("row 1: ") for message in caught.value.messages)


def draws(layer) -> bool:
    """Whether a Keras layer draws random numbers in training.

    The cells of recurrent layers always have a generator, but use it for dropout only.
    """
    rates = [getattr(layer, name, 0) for name in ("dropout", "recurrent_dropout")]
    return hasattr(layer, "seed_generator") and (any(rates) or not hasattr(layer, "dropout"))


def _check_figures(captioned: list[CaptionedFigure]) -> None:
    assert len({figure.name for figure in captioned}) == len(captioned)
    for figure in captioned:
        assert figure.caption.endswith(".")
        assert figure.figure.get_figwidth() <= plotting.WIDTH + 1e-9, figure.name
        figure.figure.draw_without_rendering()
        plt.close(figure.figure)
