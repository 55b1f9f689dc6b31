"""The figures of this problem."""

from pipeline.problems.shapes.figures.drawings import gallery as gallery
from pipeline.problems.shapes.figures.drawings import progress_images as progress_images
from pipeline.problems.shapes.figures.experiment import figures as figures
from pipeline.problems.shapes.figures.experiment import plot_variants as plot_variants
