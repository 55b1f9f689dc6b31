"""The code of a registered model: MLflow runs this file where the model is loaded.

The model's folder also holds the network's parameters and weights, and the modules of this package
that it needs: no repository is needed to load it, and nothing is unpickled.
"""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException

from pipeline.problems.load import Problem, read_config
from pipeline.utils.errors import InputError

NETWORK, PARAMETERS, WEIGHTS = "network", "experiment.json", "weights.npz"


class LaboratoryModel(mlflow.pyfunc.PythonModel):
    """One trained replica as a model that maps tables to tables."""

    def load_context(self, context) -> None:
        """Build the network and load its weights."""
        # TensorFlow takes seconds to import, and the registry imports this module for its names.
        from pipeline.engine.replicas import Replicas

        folder = Path(context.artifacts[NETWORK])
        config = read_config(json.loads((folder / PARAMETERS).read_text()))
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            weights = [arrays[name] for name in arrays.files]
        problem = Problem(config.experiment.problem)
        replicas = Replicas(problem.model.build(config), weights)
        self._predict = problem.serving.make_predictor(replicas, config)

    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        """Predict row by row.

        Raises MlflowException, which servers send as status 400, for bad rows.
        """
        try:
            return pd.DataFrame(self._predict(model_input.to_dict("records")))
        except InputError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None


mlflow.models.set_model(LaboratoryModel())
