"""Metrics of shapes, and their reference values that are known before training."""

from pipeline.problems.shapes.metrics.evaluation import curve_metrics as curve_metrics
from pipeline.problems.shapes.metrics.evaluation import describe as describe
from pipeline.problems.shapes.metrics.evaluation import evaluate as evaluate
from pipeline.problems.shapes.metrics.evaluation import preview as preview
from pipeline.problems.shapes.metrics.evaluation import references as references
from pipeline.problems.shapes.metrics.report import summarize as summarize
