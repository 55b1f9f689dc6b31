"""Checks of an experiment that involve several keys."""

from pipeline import schema

SHOWN_RARE = 20


def validate(config: schema.RunConfig) -> list[tuple[str, str]]:
    """Return the errors that the types cannot express, as (key, what is wrong)."""
    framing, training = config.experiment.framing, config.experiment.training
    passage = f"datasets.{config.experiment.dataset}.length = {config.dataset.length}"
    errors = []
    if training.loss != "categorical_crossentropy":
        what = f"must be 'categorical_crossentropy' for characters, got {training.loss!r}"
        errors.append(("training.loss", what))
    if framing.sample == "one-to-one" and framing.window != 1:
        what = f"must be 1 for framing.sample: one-to-one, got {framing.window}"
        errors.append(("framing.window", what))
    elif framing.target_offset + framing.target_length > config.dataset.length + 1:
        # A passage holds `length` characters to predict and one before them.
        too_many = framing.target_offset + framing.target_length - (config.dataset.length + 1)
        what = (
            f"must be at most {framing.window - too_many}, so that a sample fits into "
            f"{passage}, got {framing.window}"
        )
        errors.append(("framing.window", what))
    return errors + _state_errors(config, passage)


def _state_errors(config: schema.RunConfig, passage: str) -> list[tuple[str, str]]:
    """Return the error of an experiment that cannot carry state from sample to sample, if any."""
    framing, training = config.experiment.framing, config.experiment.training
    if training.reset_states_after == "batch":
        return []
    if training.reset_states_after == "epoch":
        what = "must be 'batch' or 'sequence', because passages are shuffled, got 'epoch'"
        return [("training.reset_states_after", what)]
    if framing.sample != "sequence":
        what = (
            f"must be 'batch' for framing.sample: {framing.sample}, "
            f"got {training.reset_states_after!r}"
        )
        return [("training.reset_states_after", what)]
    if framing.step != framing.window:
        what = f"must be framing.window = {framing.window} to carry state, got {framing.stride}"
        return [("framing.stride", what)]
    if config.dataset.length % framing.window:
        what = f"must divide {passage} to carry state over a passage, got {framing.window}"
        return [("framing.window", what)]
    return []


def warnings(config: schema.RunConfig) -> list[tuple[str, str]]:
    """Return what is allowed but rarely intended, as (key, what it does)."""
    framing, dataset = config.experiment.framing, config.dataset
    rarely_intended = []
    if framing.step > framing.target_length:
        skipped = framing.step - framing.target_length
        rarely_intended.append(
            ("framing.stride", f"skips {skipped} of every {framing.step} characters")
        )
    if dataset.contents and dataset.contents.rare:
        rare = dataset.contents.rare
        shown = " ".join(map(repr, rare[:SHOWN_RARE])) + (" …" if len(rare) > SHOWN_RARE else "")
        key = f"datasets.{config.experiment.dataset}.min_count"
        rarely_intended.append((key, f"{len(rare)} characters become unknown: {shown}"))
    return rarely_intended
