"""What kinds of characters networks that write text find hard to predict."""

from pipeline.problems.text.analysis.kinds import analyze as analyze
