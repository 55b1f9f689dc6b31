"""What is measured, and the reference values that are known before training."""

from pipeline.problems.text.metrics.evaluation import curve_metrics as curve_metrics
from pipeline.problems.text.metrics.evaluation import describe as describe
from pipeline.problems.text.metrics.evaluation import evaluate as evaluate
from pipeline.problems.text.metrics.evaluation import preview as preview
from pipeline.problems.text.metrics.evaluation import references as references
from pipeline.problems.text.metrics.report import summarize as summarize
