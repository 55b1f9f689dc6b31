"""An emulated processor: data, weights, predictions, metrics and figures are the same bytes."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small import ROOT

PARAMS = """
datasets:
  rectangle: {problem: shapes, shape: rectangle, seed: 1, train: 12, validation: 4, test: 64}
  echo: {problem: echo, classes: 100, length: 12, seed: 2, train: 4, validation: 2, test: 4}
  text: {problem: text, corpus: python-docs, length: 80, seed: 3, train: 4, validation: 1, test: 1}
defaults:
  shapes:
    dataset: {replicas: 2}
    experiment:
      training: {seed: 1, replicas: 2, sequences: 12, loss: mae, batch_size: 4, learning_rate: 0.01}
  echo:
    dataset: {replicas: 1}
    experiment:
      framing: {window: 5, echo: 5}
      model: {cells: 150}
      training:
        {seed: 1, replicas: 1, sequences: 4, vectorized: false, loss: categorical_crossentropy,
        batch_size: 8, learning_rate: 0.01, schedule: cosine, clip_norm: 1.0}
  text:
    dataset: {replicas: 1}
    experiment:
      training:
        {seed: 1, replicas: 1, sequences: 4, vectorized: false, loss: categorical_crossentropy,
        batch_size: 2, learning_rate: 0.01}
experiments:
  recurrent:
    problem: shapes
    dataset: rectangle
    framing: {sample: shape}
    model: {cells: 10}
  mixture:
    problem: shapes
    dataset: rectangle
    framing: {sample: coordinates}
    model: {cells: 32, components: 20}
    training: {loss: negative_log_likelihood}
  decoder:
    problem: echo
    dataset: echo
    framing: {echo: 2}
    model: {architecture: encoder-decoder}
  attention:
    problem: echo
    dataset: echo
    model: {architecture: attention}
  writer:
    problem: text
    dataset: text
    framing: {sample: sequence, window: 20}
    model: {cells: 64, embedding: 16}
    training: {reset_states_after: sequence}
studies: {}
"""
"""An experiment for each kind of network, with cells as in the repository's params.yaml."""

PROGRAM = """
from pipeline.engine import replicas
from pipeline.params.load import load_params
from pipeline.problems.shapes.metrics import generation
from pipeline.runs.fit import fit_and_export
from pipeline.stages import evaluate, figures, generate, train
from pipeline.utils import paths

generation.SAMPLE_SIZE, generation.IDEAL_SAMPLES = 500, 2  # an emulated processor is slow
params = load_params(paths.params())
for name in params.datasets:
    generate.run(name)
for name, network in params.networks.items():
    # As in a worker of the stage, but in this process: a child process would not be emulated. XLA
    # compiles all trainings but one.
    replicas.MIN_COMPILED_UPDATES = 1000 if name == "decoder" else 0
    train.save(*fit_and_export(params.config(name), range(network.training.replicas)))
    evaluate.run(name)
figures.run("recurrent")
"""


def compute(folder: Path, *prefix: str) -> dict[str, bytes]:
    """Run the stages in a folder, with a command in front of Python; return all files."""
    folder.mkdir()
    (folder / "params.yaml").write_text(PARAMS)
    settings = ("OPENBLAS_", "NPY_", "ONEDNN_", "TF_", "XLA_")  # the command has to set them
    environment = {k: v for k, v in os.environ.items() if not k.startswith(settings)}
    environment |= {"PYTHONPATH": str(ROOT)}
    command = [*prefix, sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.skipif(
    shutil.which("qemu-x86_64") is None, reason="needs qemu-x86_64; apt-get install qemu-user"
)
def test_another_processor_and_one_core_compute_the_same_bytes(tmp_path):
    intel = "GenuineIntel" in Path("/proc/cpuinfo").read_text()
    processor = "EPYC-Milan" if intel else "Haswell"  # of another maker, without AVX-512
    with ThreadPoolExecutor() as pool:
        here = pool.submit(compute, tmp_path / "here")
        others = {
            processor: pool.submit(compute, tmp_path / "other", "qemu-x86_64", "-cpu", processor),
            "one core": pool.submit(compute, tmp_path / "one", "taskset", "--cpu-list", "0"),
        }
        expected = here.result()
        assert len(expected) > 40
        for name, other in others.items():
            files = other.result()
            assert files.keys() == expected.keys(), name
            assert [path for path in files if files[path] != expected[path]] == [], name
