"""What the cells of networks that predict vertices hold."""

from pipeline.problems.shapes.analysis.cells import analyze as analyze
