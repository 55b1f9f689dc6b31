"""The metrics of echo experiments, and the scores of guessing."""

from pipeline.problems.echo.metrics.evaluation import curve_metrics as curve_metrics
from pipeline.problems.echo.metrics.evaluation import describe as describe
from pipeline.problems.echo.metrics.evaluation import evaluate as evaluate
from pipeline.problems.echo.metrics.evaluation import preview as preview
from pipeline.problems.echo.metrics.evaluation import references as references
from pipeline.problems.echo.metrics.report import summarize as summarize
