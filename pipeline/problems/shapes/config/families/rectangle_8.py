"""A rectangle with the middles of its sides as vertices, as the chapter suggests."""


def vertices(w, h):
    """Return the vertices."""
    return [(0, 0), (w / 2, 0), (w, 0), (w, h / 2), (w, h), (w / 2, h), (0, h), (0, h / 2)]
