"""The Keras networks of this problem."""

from pipeline.problems.text.model.network import build as build
