"""The Keras networks of this problem."""

from pipeline.problems.shapes.model.network import build as build
