"""A model that is handed on: MLflow runs this file where the model is loaded.

It is beside the network's parameters and weights, and the modules of this package that it needs, in
the model's own folder; no repository is needed, and nothing is unpickled.
"""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException

from pipeline.problems.base import Problem, read_config
from pipeline.utils.errors import InputError

NETWORK, PARAMETERS, WEIGHTS = "network", "experiment.json", "weights.npz"


class Answering(mlflow.pyfunc.PythonModel):
    """Answers a table row by row with one trained replica."""

    def load_context(self, context) -> None:
        """Build the network and give it its weights, once."""
        from pipeline.engine.replicas import Replicas

        folder = Path(context.artifacts[NETWORK])
        config = read_config(json.loads((folder / PARAMETERS).read_text()))
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            weights = [arrays[name] for name in arrays.files]
        problem = Problem(config.experiment.problem)
        replicas = Replicas(problem.model.build(config), weights)
        self._answer = problem.serving.make_predictor(replicas, config)

    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        """Answer a table; MlflowException, which a server sends as 400, says what is wrong."""
        try:
            return pd.DataFrame(self._answer(model_input.to_dict("records")))
        except InputError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None


mlflow.models.set_model(Answering())
