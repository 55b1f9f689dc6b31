"""Words for shapes."""

from pipeline.problems.shapes.config.types import ANY


def plural(shape: str) -> str:
    """What several of a dataset's shapes are called: `rectangles`, `crosses`, `shapes`."""
    if shape == ANY:
        return "shapes"
    name = shape.split("-")[0]
    return f"{name}es" if name.endswith("s") else f"{name}s"
