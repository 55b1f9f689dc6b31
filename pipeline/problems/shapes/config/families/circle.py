"""A regular polygon of 20 vertices, the lowest at the origin."""

import numpy as np


def vertices(diameter):
    """Return the vertices."""
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return [(diameter / 2 * np.sin(angle), diameter / 2 * (1 - np.cos(angle))) for angle in angles]
