"""The LSTM laboratory: classic sequence problems as tracked, reproducible experiments."""

import os

from pipeline.utils.processor import limit_instructions

limit_instructions()  # before NumPy and TensorFlow are imported
for name in ("NPY_ENABLE_CPU_FEATURES", "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"):
    os.environ.pop(name, None)  # NumPy refuses the first beside these limits, Keras any but numbers
# TensorFlow reads this when it is imported; it would tell of absent accelerators at every start.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
