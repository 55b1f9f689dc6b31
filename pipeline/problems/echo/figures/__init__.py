"""The figures of echo experiments."""

from pipeline.problems.echo.figures.experiment import figures as figures
from pipeline.problems.echo.figures.experiment import progress_images as progress_images
from pipeline.problems.echo.figures.variants import plot_variants as plot_variants
