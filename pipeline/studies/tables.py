"""The table and the summary of a study, loaded from the files that its stage wrote."""

import pandas as pd

from pipeline.schema.study import VARIANT
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError


def load_trials(name: str) -> pd.DataFrame:
    """Load the trials of a study, a row each; raises InputError if the file cannot be used."""
    path = paths.study(name) / "trials.csv"
    shown, hint = paths.relative(path), _hint(name)
    try:
        # A variant may be called `null` or `10`: only what is empty is missing.
        return pd.read_csv(path, dtype={VARIANT: str}, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise InputError(f"{shown}: does not exist yet; {hint}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{shown}: corrupt ({error}); {hint}") from None


def load_summary(name: str) -> dict:
    """Load the best trials and the confirmation of a study."""
    return files.read_json(paths.study(name) / "best.json", hint=_hint(name))


def _hint(name: str) -> str:
    return f"run: dvc repro study@{name}"
