"""The figures of this problem."""

from pipeline.problems.text.figures.experiment import figures as figures
from pipeline.problems.text.figures.experiment import plot_variants as plot_variants
from pipeline.problems.text.figures.experiment import progress_images as progress_images
