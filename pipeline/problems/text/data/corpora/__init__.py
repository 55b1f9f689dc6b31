"""Corpora that come with Python: each module is one, and its name is the choice of `corpus`."""
