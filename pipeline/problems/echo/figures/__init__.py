"""The figures of this problem."""

from pipeline.problems.echo.figures.experiment import figures as figures
from pipeline.problems.echo.figures.experiment import gallery as gallery
from pipeline.problems.echo.figures.experiment import plot_variants as plot_variants
from pipeline.problems.echo.figures.experiment import progress_images as progress_images
