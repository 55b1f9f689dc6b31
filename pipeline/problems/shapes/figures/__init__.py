"""The figures of this problem."""

from pipeline.problems.shapes.figures.experiment import figures as figures
from pipeline.problems.shapes.figures.experiment import gallery as gallery
from pipeline.problems.shapes.figures.experiment import plot_variants as plot_variants
from pipeline.problems.shapes.figures.experiment import progress_images as progress_images
