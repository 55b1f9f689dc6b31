"""`pipeline write`."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.problems.base import TrainedNetwork
from pipeline.problems.text.data.prompt import encode_prompt
from pipeline.utils import console, inputs
from pipeline.utils.errors import InputError
from pipeline.utils.options import TEMPERATURE


def write(
    network: TrainedNetwork,
    prompt: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Text to start from (default: the start of the corpus)."),
    ] = None,
    prompt_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="UTF-8 text file to start from.")
    ] = None,
    length: Annotated[int, typer.Option(min=1, max=1_000_000, help="Characters to write.")] = 500,
    temperature: Annotated[float, TEMPERATURE] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the sampling.")] = 0,
) -> None:
    """Write text with a trained network."""
    if prompt is not None and prompt_file:
        raise InputError("--prompt and --prompt-file cannot be combined")
    if prompt_file:
        prompt = inputs.read_text(prompt_file)
    start = encode_prompt(network.config, prompt, "--prompt-file" if prompt_file else "--prompt")
    from pipeline.problems.text.model.writing import Writer  # loads Keras: after all checks

    writer = Writer(network.load(network.config), network.config)
    for text in writer.stream(start, temperature, seed, length):
        console.print_text(text, end="")
    print()
