"""The matrix products of one update of an encoder-decoder."""

Shape = tuple[int, int, int]
"""(rows, inner, columns) of a product of (rows, inner) and (inner, columns)."""


def matrix_products(
    batch: int, window: int, echo: int, cells: int, classes: int
) -> dict[Shape, int]:
    """Return how often one update computes products of each shape.

    Counted are the forward pass and the gradients of inputs and of weights. The gradient of an
    LSTM's weights is one product over all time steps.
    """
    gates = 4 * cells
    # Recurrent products of the encoder, input and recurrent products of the decoder.
    steps = window + 2 * echo
    return {
        (batch, cells, gates): steps,
        (batch, gates, cells): steps,
        (cells, batch * window, gates): 1,
        (cells, batch * echo, gates): 2,
        (batch * echo, cells, classes): 1,
        (batch * echo, classes, cells): 1,
        (cells, batch * echo, classes): 1,
    }


def flops(products: dict[Shape, int]) -> int:
    """Return the number of floating point operations of products {shape: count}."""
    return sum(
        2 * rows * inner * columns * count for (rows, inner, columns), count in products.items()
    )
