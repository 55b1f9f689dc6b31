"""The chapter's rectangle."""


def vertices(w, h):
    """Return the vertices."""
    return [(0, 0), (w, 0), (w, h), (0, h)]
