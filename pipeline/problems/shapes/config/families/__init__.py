"""Families of shapes: each module is one, and its name is the choice of `shape`."""
