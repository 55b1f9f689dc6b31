"""Types of this problem's entries in params.yaml; they inherit the keys that all problems share."""

from pydantic import Field

from pipeline import schema


class Dataset(schema.Dataset):
    """Sequences of random bits."""

    length: schema.Count = Field(description="bits in a sequence")


class Model(schema.Model):
    """One LSTM layer and a softmax."""

    cells: schema.Count = Field(description="memory cells of the LSTM layer")


class Experiment(schema.Experiment):
    """An experiment of this problem."""

    model: Model
