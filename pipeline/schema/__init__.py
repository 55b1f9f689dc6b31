"""Types of everything that params.yaml may hold; they import neither Keras nor Optuna."""

from pipeline.schema.experiment import Contents as Contents
from pipeline.schema.experiment import Count as Count
from pipeline.schema.experiment import Dataset as Dataset
from pipeline.schema.experiment import Experiment as Experiment
from pipeline.schema.experiment import Framing as Framing
from pipeline.schema.experiment import Model as Model
from pipeline.schema.experiment import RunConfig as RunConfig
from pipeline.schema.experiment import Training as Training
