"""Types of this problem's entries in params.yaml."""

from pydantic import Field

from pipeline import schema


class Dataset(schema.Dataset):
    """Melodies in random keys."""

    length: int = Field(ge=2, description="notes in a melody")


class Model(schema.Model):
    """One LSTM layer, and a softmax over the notes: all pairs of a pitch and a duration."""

    cells: schema.Count = Field(description="memory cells of the LSTM layer")


class Experiment(schema.Experiment):
    """An experiment of this problem."""

    model: Model
