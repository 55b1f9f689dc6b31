"""The matrix products of an encoder-decoder's update."""


def products(batch: int, window: int, echo: int, cells: int, classes: int) -> dict[tuple, int]:
    """How often an update multiplies (rows, inner) by (inner, columns): {shape: count}.

    Forward, the gradient of what comes in, and that of the weights, which sums over steps at once.
    """
    gates = 4 * cells
    steps = window + 2 * echo  # the encoder's recurrent ones, the decoder's inputs and recurrent
    return {
        (batch, cells, gates): steps,
        (batch, gates, cells): steps,
        (cells, batch * window, gates): 1,
        (cells, batch * echo, gates): 2,
        (batch * echo, cells, classes): 1,
        (batch * echo, classes, cells): 1,
        (cells, batch * echo, classes): 1,
    }


def flops(shapes: dict[tuple, int]) -> int:
    """Floating point operations of an update's products."""
    return sum(
        2 * rows * inner * columns * count for (rows, inner, columns), count in shapes.items()
    )
