"""What every room must keep; `test_rooms.py` runs it for each of them."""

import inspect
import json

import matplotlib.pyplot as plt
import numpy as np
import pytest

from pipeline import schema
from pipeline.engine.initialization import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import (
    PARTS,
    DataFile,
    FiguresFile,
    MetricsFile,
    ModelsFile,
    Problem,
    Results,
    problem_names,
)
from pipeline.reporting import learning_curves
from pipeline.utils.errors import InputError


class RoomContract:
    """A room's tests inherit these and say `setup`: a small experiment of theirs."""

    config: schema.RunConfig

    @property
    def room(self) -> Problem:
        return Problem(self.config.experiment.problem)

    def data(self) -> dict[str, np.ndarray]:
        return self.room.data.generate(self.config.dataset)

    def trained(self) -> Replicas:
        weights = initial_weights(lambda: self.room.model.build(self.config).model, [1, 2])
        return Replicas(self.room.model.build(self.config), weights)

    def test_it_offers_the_functions_of_the_protocol_with_their_parameters(self):
        protocols = (DataFile, ModelsFile, MetricsFile, FiguresFile)
        for file, protocol in zip(PARTS, protocols, strict=True):
            module = getattr(self.room, file)
            for name, promised in vars(protocol).items():
                if inspect.isfunction(promised) and not name.startswith("_"):
                    expected = list(inspect.signature(promised).parameters)[1:]
                    found = list(inspect.signature(getattr(module, name)).parameters)
                    assert found == expected, name

    def test_it_imports_no_other_room_no_stage_and_no_tracker(self):
        others = {f"pipeline.{name}" for name in problem_names()} - {f"pipeline.{self.room.name}"}
        for file in PARTS:
            source = inspect.getsource(getattr(self.room, file))
            for forbidden in (*others, "pipeline.stages", "mlflow", "optuna", "dvc"):
                assert f"from {forbidden}" not in source
                assert f"import {forbidden}" not in source

    def test_data_are_made_for_each_replica_and_held_out_ones_for_all(self):
        arrays, dataset = self.data(), self.config.dataset
        assert set(arrays) >= {"train", "validation", "test"}  # others tell of these
        assert arrays["train"].shape[:2] == (dataset.replicas, dataset.train)
        for part in ("validation", "test"):
            assert len(arrays[part]) == getattr(dataset, part)
            assert arrays[part].shape[1:] == arrays["train"].shape[2:]

    def test_the_same_seed_makes_the_same_data(self):
        for one, two in zip(self.data().values(), self.data().values(), strict=True):
            np.testing.assert_array_equal(one, two)

    def test_framing_keeps_order_and_counts_its_samples(self):
        train = self.data()["train"]
        inputs, targets = self.room.data.make_examples(train, self.config)
        count = self.room.data.samples_per_sequence(self.config)
        assert inputs.shape[:2] == targets.shape[:2] == (len(train), train.shape[1] * count)
        alone, _ = self.room.data.make_examples(train[1], self.config)
        np.testing.assert_array_equal(inputs[1], alone)
        first, _ = self.room.data.make_examples(train[:, :1], self.config)
        np.testing.assert_array_equal(inputs[:, :count], first)

    def test_the_network_is_made_of_stock_keras_layers(self):
        network = self.room.model.build(self.config)
        for layer in network.model.layers:
            assert type(layer).__module__.startswith("keras.")
        names = [weight.path for weight in network.model.weights]
        again = [weight.path for weight in self.room.model.build(self.config).model.weights]
        assert names == again  # no counters in names: saved files would differ

    def test_it_answers_a_table_of_questions_with_plain_values(self):
        rows = self.room.serving.input_example(self.config)
        answer = self.room.serving.make_predictor(self.trained(), self.config)
        answers = answer(rows)
        assert answers
        assert len({tuple(row) for row in answers}) == 1  # the same columns
        assert json.loads(json.dumps([*answers])) == answers
        assert answer(rows) == answers
        column = next(iter(rows[0]))
        with pytest.raises(InputError) as refused:
            answer([rows[0], {**rows[0], column: -5}])
        assert refused.value.messages
        assert all(fault.startswith("row 1: ") for fault in refused.value.messages)

    def test_curve_metrics_are_one_number_per_replica(self):
        held_out = self.data()["validation"]
        inputs, targets = self.room.data.make_examples(held_out, self.config)
        predict_options = self.config.experiment.training.predict_options(
            self.room.data.samples_per_sequence(self.config)
        )
        readout = self.trained().predict(inputs[None], targets[None], **predict_options)
        found = self.room.metrics.curve(targets, readout)
        for name, values in found.items():
            assert values.shape == (2,), name
            assert np.isfinite(values).all()
        for of_all in (targets[None], np.stack([targets, targets])):
            again = self.room.metrics.curve(of_all, readout)
            assert again.keys() == found.keys()
            for name, values in again.items():
                np.testing.assert_array_equal(values, found[name])

    def test_snapshots_are_kept_in_their_order_and_the_weights_as_they_were(self):
        trained, arrays = self.trained(), self.data()
        final = trained.weights
        curve = {"sequences": np.array([1]), "updates": np.array([1])}
        curve |= {"exact_accuracy": np.ones((2, 1))}
        blank = [np.zeros_like(weight) for weight in final]
        found, plain = (
            self.room.metrics.evaluate(self.config, trained, arrays["test"], curve, checkpoints)
            for checkpoints in ({9: blank, 2: final, 5: blank}, {})
        )
        for weight, before in zip(trained.weights, final, strict=True):
            np.testing.assert_array_equal(weight, before)
        for name, values in plain.metrics.items():  # those of the final weights
            np.testing.assert_array_equal(found.metrics[name], values)
        for key in {"steps", "early_seen"} & found.predictions.keys():
            last = self.config.experiment.training.sequences_seen
            assert found.predictions[key].tolist() == sorted({2, 5, 9, last})

    def test_every_metric_and_reference_can_be_spoken_of_and_drawn(self):
        trained, test = self.trained(), self.data()["test"]
        held_out = self.data()["validation"]
        inputs, targets = self.room.data.make_examples(held_out, self.config)
        predict_options = self.config.experiment.training.predict_options(
            self.room.data.samples_per_sequence(self.config)
        )
        point = self.room.metrics.curve(
            targets, trained.predict(inputs[None], targets[None], **predict_options)
        )
        history = {name: np.stack([value, value], axis=1) for name, value in point.items()}
        history |= {"sequences": np.array([1, 2]), "updates": np.array([1, 2])}
        history["train_loss"] = np.ones((2, 2))
        found = self.room.metrics.evaluate(self.config, trained, test, history, {})
        references = self.room.metrics.references(self.config, test)
        for name in (*found.metrics, *references):
            assert self.room.metrics.describe(name).label
        assert all(values.shape == (2,) for values in found.metrics.values())
        results = Results(history, found.predictions, found.metrics, references, test)
        alone = self.room.figures.figures(self.config, results)
        variants = dict.fromkeys(("one", "two"), (self.config, results))
        together = self.room.figures.plot_variants(variants)
        for pictures in (
            [*alone, learning_curves.history(self.config, results)],
            [*together, learning_curves.histories(variants)],
        ):
            assert len({picture.name for picture in pictures}) == len(pictures) > 1
            assert all(picture.caption.endswith(".") for picture in pictures)
            for picture in pictures:
                picture.figure.draw_without_rendering()
                plt.close(picture.figure)

    def test_the_gist_of_predictions_is_all_that_steps_and_a_gallery_draw(self):
        trained, test = self.trained(), self.data()["test"]
        curve = {"sequences": np.array([1]), "updates": np.array([1])}
        curve |= {"exact_accuracy": np.ones((2, 1))}
        found = self.room.metrics.evaluate(self.config, trained, test, curve, {})
        preview = self.room.metrics.preview(found.predictions)
        assert set(preview) <= set(found.predictions)
        assert sum(array.nbytes for array in preview.values()) < 2**20
        results = Results(curve, preview, found.metrics, {}, test)
        for figures in self.room.figures.progress_images(self.config, results).values():
            for figure in figures.values():
                figure.draw_without_rendering()
        gallery = self.room.figures.gallery(
            {"one": (self.config, preview), "two": (self.config, preview)}
        )
        if gallery:
            gallery.figure.draw_without_rendering()
            assert gallery.caption.endswith(".")
