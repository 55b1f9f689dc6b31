"""Experiments whose types are right and that make no sense all the same."""

from pipeline import schema


def validate(config: schema.RunConfig) -> list[tuple[str, str]]:
    """Faults of an experiment that its types cannot tell."""
    framing, training = config.experiment.framing, config.experiment.training
    of_dataset = f"datasets.{config.experiment.dataset}.length = {config.dataset.length}"
    errors = []
    if training.loss != "categorical_crossentropy":
        what = f"must be 'categorical_crossentropy' for characters, got {training.loss!r}"
        errors.append(("training.loss", what))
    if framing.sample == "one-to-one" and framing.window != 1:
        what = f"must be 1 for framing.sample: one-to-one, got {framing.window}"
        errors.append(("framing.window", what))
    elif framing.first + framing.writes > config.dataset.length + 1:
        # A passage holds one character more than are predicted of it.
        longest = config.dataset.length + 1 - framing.first - framing.writes + framing.window
        what = f"must be at most {longest}, so that the text of {of_dataset} holds one"
        errors.append(("framing.window", f"{what}, got {framing.window}"))
    if training.reset_states_after == "batch":
        return errors
    if training.reset_states_after == "epoch":
        what = "must be 'batch' or 'sequence': a passage does not follow on the one before it"
        errors.append(("training.reset_states_after", f"{what}, got 'epoch'"))
    elif framing.sample != "sequence":
        what = f"must be 'batch' for framing.sample: {framing.sample}, got {training.reset_states_after!r}"
        errors.append(("training.reset_states_after", what))
    elif framing.step != framing.window:
        what = f"must be framing.window = {framing.window} to carry state, got {framing.stride}"
        errors.append(("framing.stride", what))
    elif config.dataset.length % framing.window:
        what = f"must divide {of_dataset} to carry state over all of it, got {framing.window}"
        errors.append(("framing.window", what))
    return errors


def warnings(config: schema.RunConfig) -> list[tuple[str, str]]:
    """What is allowed and yet hardly meant."""
    framing = config.experiment.framing
    if framing.step > framing.writes:
        skipped = framing.step - framing.writes
        return [("framing.stride", f"leaves out {skipped} of {framing.step} characters")]
    return []
