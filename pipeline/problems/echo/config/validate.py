"""Experiments with echoes that make no sense, or hardly any, though their types are right."""

from pipeline import schema

OPTIONS = {
    "encoder-decoder": ("decoder_context", "teacher_forcing", "reverse", "attends"),
    "attention": ("keys", "positions"),
}
"""Keys that belong to one architecture."""

ANY_LENGTH = ("lstm", "encoder-decoder", "attention", "memoryless")
"""Architectures whose weights do not depend on the window."""


def validate(config: schema.RunConfig) -> list[tuple[str, str]]:
    """Faults of an experiment that its types cannot tell."""
    return [*_framing_faults(config), *_model_faults(config), *_output_faults(config)]


def warnings(config: schema.RunConfig) -> list[tuple[str, str]]:
    """What an experiment may say, but hardly means: (key, what to know about it)."""
    experiment = config.experiment
    if experiment.framing.representation == "one-hot" and experiment.training.loss == "mse":
        return [
            (
                "training.loss",
                "'mse' on one-hot integers has next to no gradient where the softmax is sure and "
                "wrong, and little with many classes; 'categorical_crossentropy' learns faster",
            )
        ]
    return []


def _framing_faults(config: schema.RunConfig) -> list[tuple[str, str]]:
    """Faults of the windows, beside the sequences that they are cut from."""
    framing, architecture = config.experiment.framing, config.experiment.model.architecture
    length, longest = config.dataset.length, max([0, *config.experiment.framing.eval_lengths])
    of_dataset = f"datasets.{config.experiment.dataset}.length = {length}"
    errors = []
    if framing.window > length:
        errors.append(("framing.window", f"must be at most {of_dataset}, got {framing.window}"))
    whole = f"must be framing.window = {framing.window}, got {framing.echo}"
    if framing.echo > framing.window:
        most = f"must be at most framing.window = {framing.window}, got {framing.echo}"
        errors.append(("framing.echo", most))
    elif framing.echo != framing.window:
        if architecture in ("lstm", "memoryless"):
            each = f"{'an lstm' if architecture == 'lstm' else architecture} gives one output"
            each = f"{each} for each input (an encoder-decoder may give fewer)"
            errors.append(("framing.echo", f"{whole}: {each}"))
        elif framing.eval_lengths:
            errors.append(("framing.echo", f"{whole}: framing.eval_lengths are of whole echoes"))
    if framing.shortest and framing.shortest > framing.window:
        most = f"must be at most framing.window = {framing.window}, got {framing.shortest}"
        errors.append(("framing.shortest", most))
    if framing.shortest and architecture not in ANY_LENGTH:
        errors.append(("framing.shortest", _not_for(architecture, ANY_LENGTH)))
    if longest > length:
        errors.append(("framing.eval_lengths", f"must be at most {of_dataset}, got {longest}"))
    elif longest and architecture not in ANY_LENGTH:
        errors.append(("framing.eval_lengths", _not_for(architecture, ANY_LENGTH)))
    if framing.missing != "dropped":
        known = ("lstm", "encoder-decoder", "vector")
        if architecture not in known:
            errors.append(("framing.missing", _not_for(architecture, known)))
        if framing.shortest:
            what = f"must be 'dropped' beside framing.shortest, got {framing.missing!r}"
            errors.append(("framing.missing", what))
        if framing.eval_lengths:
            what = f"must be 'dropped' beside framing.eval_lengths, got {framing.missing!r}"
            errors.append(("framing.missing", what))
        if framing.stride > 1:
            what = f"must be 'dropped' beside framing.stride, got {framing.missing!r}"
            errors.append(("framing.missing", what))
        if framing.window == 1:
            what = f"must be 'dropped' beside framing.window: 1, got {framing.missing!r}"
            errors.append(("framing.missing", what))
        if framing.missing == "unseen" and config.experiment.training.reset_states_after != "batch":
            what = "'unseen' windows stand before all others, and need training.reset_states_after: batch"
            errors.append(("framing.missing", what))
    if framing.target == "sequence":
        if architecture != "lstm":
            errors.append(("framing.target", _not_for(architecture, ("lstm",))))
        if framing.padded or framing.missing != "dropped" or framing.eval_lengths:
            what = "'sequence' needs full windows: no missing, shortest or lengths"
            errors.append(("framing.target", what))
    return errors


def _model_faults(config: schema.RunConfig) -> list[tuple[str, str]]:
    """Keys of one architecture beside another, and tables that are too short."""
    model, framing, errors = config.experiment.model, config.experiment.framing, []
    for architecture, keys in OPTIONS.items():
        for key in keys:
            default = type(model).model_fields[key].default
            if model.architecture != architecture and getattr(model, key) != default:
                what = f"belongs to {architecture}, not to {model.architecture}"
                errors.append((f"model.{key}", what))
    if model.embedding and model.architecture not in ("encoder-decoder", "attention"):
        what = _not_for(model.architecture, ("encoder-decoder", "attention"))
        errors.append(("model.embedding", what))
    if model.embedding and framing.missing == "marked":
        what = "belongs to framing.missing other than 'marked', whose mark has no embedding"
        errors.append(("model.embedding", what))
    if model.embedding and framing.representation == "scaled":
        errors.append(("model.embedding", "belongs to one-hot integers, not to scaled"))
    rows = model.positions or framing.echo
    need = max(
        [framing.window if model.keys == "position" else framing.echo, *framing.eval_lengths]
    )
    if model.architecture == "attention" and rows < need:
        what = f"must be at least {need}, a row for each position, got {rows}"
        errors.append(("model.positions", what))
    if model.architecture == "memoryless" and model.forget_bias != 1:
        errors.append(("model.forget_bias", "belongs to networks with an LSTM, not to memoryless"))
    stateful = ("lstm", "encoder-decoder", "vector", "features")
    plain = model.decoder_context == "vector" and not (model.teacher_forcing or model.attends)
    if config.experiment.training.reset_states_after != "batch":
        if model.architecture not in stateful:
            errors.append(("training.reset_states_after", _not_for(model.architecture, stateful)))
        elif not plain:
            what = "must be 'batch' for a decoder that takes state, integers or attention"
            errors.append(("training.reset_states_after", what))
        elif framing.eval_lengths:
            what = "must be 'batch' beside framing.eval_lengths, whose windows stand alone"
            errors.append(("training.reset_states_after", what))
    return errors


def _output_faults(config: schema.RunConfig) -> list[tuple[str, str]]:
    """Outputs and losses that do not fit the representation."""
    experiment, classes = config.experiment, config.dataset.classes
    model, loss, activation = (
        experiment.model,
        experiment.training.loss,
        experiment.model.activation,
    )
    errors = []
    if experiment.framing.representation == "one-hot":
        if loss not in ("categorical_crossentropy", "mse"):
            what = f"must be 'categorical_crossentropy' or 'mse' for one-hot integers, got {loss!r}"
            errors.append(("training.loss", what))
        if activation == "sigmoid":
            what = (
                f"must be 'softmax' for one-hot integers, got 'sigmoid': {classes} sigmoids are "
                f"{classes} separate questions and no distribution over the integers, so their "
                "cross-entropy says nothing"
            )
            errors.append(("model.activation", what))
        elif activation == "linear":
            what = "must be 'softmax' for one-hot integers, got 'linear': it gives no probabilities"
            errors.append(("model.activation", what))
        return errors
    if loss not in ("mae", "mse"):
        what = f"must be 'mae' or 'mse' for scaled integers, got {loss!r}"
        errors.append(("training.loss", what))
    if activation == "softmax":
        what = "must be 'linear' or 'sigmoid' for scaled integers: the softmax of one number is 1"
        errors.append(("model.activation", what))
    if model.architecture == "attention" or model.teacher_forcing:
        what = "must be 'one-hot' for attention and for teacher forcing, got 'scaled'"
        errors.append(("framing.representation", what))
    return errors


def _not_for(architecture: str, known: tuple[str, ...]) -> str:
    return f"belongs to {', '.join(known)}, not to {architecture}"
