"""`pipeline draw`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pipeline.problems.base import TrainedNetwork
from pipeline.utils import files
from pipeline.utils.errors import InputError
from pipeline.utils.options import TEMPERATURE


def draw(
    network: TrainedNetwork,
    count: Annotated[
        int,
        typer.Option(
            min=1,
            max=100_000,
            help="Shapes to draw: up to 100 side by side, more over each other.",
        ),
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Random seed (generators only).")] = 0,
    temperature: Annotated[float | None, TEMPERATURE] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            help="Shape family to draw, such as circle (networks of several families only, such as "
            "any-tokens)."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Image to write, .svg or .png (default: NETWORK.svg).")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the polygons as JSON instead of drawing them.")
    ] = False,
) -> None:
    """Draw shapes with a trained network.

    A generator, such as star/tokens, draws a sample of different shapes; --seed chooses the sample.
    Other networks always draw the same shape, and take no --temperature.
    """
    from pipeline import plotting  # loads Matplotlib
    from pipeline.problems.shapes.config.validate import shape_to_draw
    from pipeline.problems.shapes.figures.drawings import plot_polygons

    config = network.config
    if out and as_json:
        raise InputError("--json and --out cannot be combined")
    path = out or Path(f"{config.identifier}.svg")
    files.prepare_output("--out", path, (".svg", ".png"))
    shape = shape_to_draw(config, shape, temperature)
    from pipeline.problems.shapes.model.drawing import draw_shapes  # loads Keras: after all checks

    temperature = 1.0 if temperature is None else temperature
    polygons = draw_shapes(network.load(config), config, count, seed, temperature, shape)
    if as_json:
        print(json.dumps({"network": config.name, "shape": shape, "polygons": polygons.tolist()}))
        return
    with files.atomic_write(path) as partial:
        plotting.save(plot_polygons(config, shape, polygons), partial, path.suffix[1:])
    print(path)
