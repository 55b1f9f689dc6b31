"""Limit all libraries to the same instructions, so that every processor computes the same bytes.

NumPy, OpenBLAS, oneDNN and XLA choose between variants of their functions by the processor that
they run on: wider vectors add numbers in another order, and so round differently. AVX2, with fused
multiplication and addition, is in all x86-64 processors of PCs and servers since about 2015.
"""

import os
import platform
import sys
from pathlib import Path

VARIABLES = {
    "OPENBLAS_CORETYPE": "Haswell",  # the products of NumPy and SciPy
    "OPENBLAS_NUM_THREADS": "1",  # parts of a product do not depend on the number of cores
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # NumPy's functions
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # TensorFlow's products
    "TF_ENABLE_ONEDNN_OPTS": "0",  # its other operations: Eigen's do not depend on the processor
}
XLA_FLAGS = "--xla_cpu_max_isa=AVX2 --xla_cpu_enable_platform_dependent_math=false"

limits_in_time = True
"""Whether the limits were set before NumPy was imported, by this process or the one above."""


def limit_instructions() -> None:
    """Limit them to AVX2, by environment variables; child processes inherit these.

    The libraries read the variables when they are imported, so this must be called before. On other
    processors than x86-64 with AVX2, nothing is changed.
    """
    global limits_in_time
    if platform.machine() != "x86_64" or not _has_avx2():
        return
    inherited = all(os.environ.get(name) == value for name, value in VARIABLES.items())
    limits_in_time = inherited or "numpy" not in sys.modules
    os.environ.update(VARIABLES)
    flags = os.environ.get("XLA_FLAGS", "")
    if XLA_FLAGS not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {XLA_FLAGS}".strip()


def _has_avx2() -> bool:
    try:
        return " avx2 " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
