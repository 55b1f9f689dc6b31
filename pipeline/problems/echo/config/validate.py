"""Checks of echo experiments that the types cannot express."""

from pipeline import schema

Errors = list[tuple[str, str]]
"""Pairs of a key and what is wrong with its value."""

OPTIONS = {
    "encoder-decoder": ("decoder_context", "teacher_forcing", "reverse", "attends"),
    "attention": ("keys", "positions"),
}
"""Keys of `model` that only one architecture has."""

ANY_LENGTH = ("lstm", "encoder-decoder", "attention", "memoryless")
"""Architectures whose weights do not depend on the window's length."""

MISSING_INTEGERS = ("lstm", "encoder-decoder", "vector")
"""Architectures for windows that start before their sequence."""

STATEFUL = ("lstm", "encoder-decoder", "vector", "features")
"""Architectures that can carry state from batch to batch."""


def validate(config: schema.RunConfig) -> Errors:
    """Return the errors of an experiment that its types cannot express, as (key, error)."""
    return [
        *_window_errors(config),
        *_length_errors(config),
        *_missing_errors(config),
        *_target_errors(config),
        *_option_errors(config),
        *_embedding_errors(config),
        *_state_errors(config),
        *_output_errors(config),
    ]


def warnings(config: schema.RunConfig) -> Errors:
    """Return what is allowed but rarely intended, as (key, warning)."""
    experiment = config.experiment
    if experiment.framing.representation == "one-hot" and experiment.training.loss == "mse":
        return [
            (
                "training.loss",
                "'mse' on one-hot integers has almost no gradient where the softmax is confident "
                "and wrong, and a small one with many classes; 'categorical_crossentropy' learns "
                "faster",
            )
        ]
    return []


def _window_errors(config: schema.RunConfig) -> Errors:
    """Errors of the sizes of window and echo."""
    framing, architecture = config.experiment.framing, config.experiment.model.architecture
    window, echo, errors = framing.window, framing.echo, []
    if window > config.dataset.length:
        errors.append(
            ("framing.window", f"must be at most {_dataset_length(config)}, got {window}")
        )
    if echo > window:
        errors.append(("framing.echo", f"must be at most framing.window = {window}, got {echo}"))
    elif echo < window and architecture in ("lstm", "memoryless"):
        error = (
            f"must be framing.window = {window} for model.architecture: {architecture}, which has "
            f"one output per input (an encoder-decoder may have fewer), got {echo}"
        )
        errors.append(("framing.echo", error))
    elif echo < window and framing.eval_lengths:
        error = f"must be framing.window = {window} if framing.eval_lengths is set, got {echo}"
        errors.append(("framing.echo", error))
    return errors


def _length_errors(config: schema.RunConfig) -> Errors:
    """Errors of windows and sequences of various lengths."""
    framing, architecture = config.experiment.framing, config.experiment.model.architecture
    longest, errors = max([0, *framing.eval_lengths]), []
    if framing.shortest and framing.shortest > framing.window:
        error = f"must be at most framing.window = {framing.window}, got {framing.shortest}"
        errors.append(("framing.shortest", error))
    if framing.shortest and architecture not in ANY_LENGTH:
        errors.append(("framing.shortest", _needs(ANY_LENGTH, architecture)))
    if longest > config.dataset.length:
        error = f"must be at most {_dataset_length(config)}, got {longest}"
        errors.append(("framing.eval_lengths", error))
    elif longest and architecture not in ANY_LENGTH:
        errors.append(("framing.eval_lengths", _needs(ANY_LENGTH, architecture)))
    return errors


def _missing_errors(config: schema.RunConfig) -> Errors:
    """Errors of windows that start before their sequence."""
    framing, architecture = config.experiment.framing, config.experiment.model.architecture
    reset, errors = config.experiment.training.reset_states_after, []
    if framing.missing == "dropped":
        return errors
    if architecture not in MISSING_INTEGERS:
        errors.append(("framing.missing", _needs(MISSING_INTEGERS, architecture, framing.missing)))
    for conflict, condition in (
        (framing.shortest, "framing.shortest is set"),
        (framing.eval_lengths, "framing.eval_lengths is set"),
        (framing.stride > 1, "framing.stride is greater than 1"),
        (framing.window == 1, "framing.window is 1"),
    ):
        if conflict:
            error = f"must be 'dropped' if {condition}, got {framing.missing!r}"
            errors.append(("framing.missing", error))
    if framing.missing == "unseen" and reset != "batch":
        error = (
            f"'unseen' needs training.reset_states_after: batch, got {reset}: windows that are "
            "left out cannot pass on state"
        )
        errors.append(("framing.missing", error))
    return errors


def _target_errors(config: schema.RunConfig) -> Errors:
    """Errors of the integers to output."""
    framing, architecture = config.experiment.framing, config.experiment.model.architecture
    errors = []
    if framing.target == "sequence":
        if architecture != "lstm":
            errors.append(("framing.target", _needs(("lstm",), architecture, "sequence")))
        if framing.padded or framing.missing != "dropped" or framing.eval_lengths:
            error = "'sequence' needs full windows: remove framing.missing, shortest, eval_lengths"
            errors.append(("framing.target", error))
    return errors


def _option_errors(config: schema.RunConfig) -> Errors:
    """Errors of keys that belong to one architecture."""
    model, framing, errors = config.experiment.model, config.experiment.framing, []
    for architecture, keys in OPTIONS.items():
        for key in keys:
            default = type(model).model_fields[key].default
            if model.architecture != architecture and getattr(model, key) != default:
                errors.append((f"model.{key}", _needs((architecture,), model.architecture)))
    rows = model.positions or framing.echo
    window_or_echo = framing.window if model.keys == "position" else framing.echo
    needed = max([window_or_echo, *framing.eval_lengths])
    if model.architecture == "attention" and rows < needed:
        error = f"must be at least {needed}, one row per position, got {rows}"
        errors.append(("model.positions", error))
    if model.architecture == "memoryless" and model.forget_bias != 1:
        error = f"needs an LSTM, which memoryless does not have, got {model.forget_bias:g}"
        errors.append(("model.forget_bias", error))
    return errors


def _embedding_errors(config: schema.RunConfig) -> Errors:
    """Errors of the embedding of integers."""
    model, framing, errors = config.experiment.model, config.experiment.framing, []
    if model.embedding is None:
        return errors
    embedding = ("encoder-decoder", "attention")
    if model.architecture not in embedding:
        errors.append(("model.embedding", _needs(embedding, model.architecture)))
    if framing.missing == "marked":
        error = "cannot be set for framing.missing: marked, since the mark has no embedding"
        errors.append(("model.embedding", error))
    if framing.representation == "scaled":
        errors.append(("model.embedding", "needs framing.representation: one-hot, got scaled"))
    return errors


def _state_errors(config: schema.RunConfig) -> Errors:
    """Errors of state that is carried from batch to batch."""
    model, framing = config.experiment.model, config.experiment.framing
    reset, key = config.experiment.training.reset_states_after, "training.reset_states_after"
    if reset == "batch":
        return []
    if model.architecture not in STATEFUL:
        return [(key, _needs(STATEFUL, model.architecture, reset))]
    if model.decoder_context != "vector" or model.teacher_forcing or model.attends:
        options = "decoder_context: initial_state, teacher_forcing or attends"
        return [(key, f"must be 'batch' for a decoder with {options}, got {reset!r}")]
    if framing.eval_lengths:
        return [(key, f"must be 'batch' if framing.eval_lengths is set, got {reset!r}")]
    return []


def _output_errors(config: schema.RunConfig) -> Errors:
    """Errors of losses and activations that do not fit the representation."""
    experiment, classes = config.experiment, config.dataset.classes
    model, loss = experiment.model, experiment.training.loss
    errors = []
    if experiment.framing.representation == "one-hot":
        if loss not in ("categorical_crossentropy", "mse"):
            error = (
                f"must be 'categorical_crossentropy' or 'mse' for one-hot integers, got {loss!r}"
            )
            errors.append(("training.loss", error))
        reasons = {
            "sigmoid": f"{classes} independent sigmoids are not a probability distribution over "
            "the integers, so that their cross-entropy is meaningless",
            "linear": "its outputs are not probabilities",
        }
        if reason := reasons.get(model.activation):
            error = f"must be 'softmax' for one-hot integers, got {model.activation!r}: {reason}"
            errors.append(("model.activation", error))
        return errors
    if loss not in ("mae", "mse"):
        error = f"must be 'mae' or 'mse' for scaled integers, got {loss!r}"
        errors.append(("training.loss", error))
    if model.activation == "softmax":
        error = (
            "must be 'linear' or 'sigmoid' for scaled integers, got 'softmax': "
            "the softmax of a single number is always 1"
        )
        errors.append(("model.activation", error))
    if model.architecture == "attention" or model.teacher_forcing:
        error = "must be 'one-hot' for attention and for teacher forcing, got 'scaled'"
        errors.append(("framing.representation", error))
    return errors


def _dataset_length(config: schema.RunConfig) -> str:
    return f"datasets.{config.experiment.dataset}.length = {config.dataset.length}"


def _needs(supported: tuple[str, ...], architecture: str, value: str | None = None) -> str:
    """The error of a key, or of one of its values, that only some architectures support."""
    *others, last = supported
    names = f"{', '.join(others)} or {last}" if others else last
    subject = f"{value!r} needs" if value else "needs"
    return f"{subject} model.architecture: {names}, got {architecture}"
