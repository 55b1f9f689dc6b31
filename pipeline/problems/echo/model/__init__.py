"""The Keras networks of this problem."""

from pipeline.problems.echo.model.network import build as build
