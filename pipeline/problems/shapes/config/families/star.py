"""A star of five tips, the lowest at the origin."""

import numpy as np


def vertices(inner, spike):
    """Return the vertices.

    `inner` scales the inner radius, `spike` the distance of the tips from it.
    """
    inner, outer = inner / 4, inner / 4 + spike / 4
    angles = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    radii = [outer, inner] * 5
    return [
        (radius * np.sin(angle), outer - radius * np.cos(angle))
        for radius, angle in zip(radii, angles, strict=True)
    ]
