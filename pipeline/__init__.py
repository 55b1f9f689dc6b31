"""The LSTM laboratory: classic sequence problems as tracked, reproducible experiments."""

import os

from pipeline.utils.processor import limit_instructions

limit_instructions()  # before NumPy and TensorFlow are imported
# TensorFlow reads this when it is imported; it would tell of absent accelerators at every start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
