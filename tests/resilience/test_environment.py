"""Environment variables and settings files of libraries: none changes a result or stops a run.

Also in the way of a run: what a terminal cannot show.
"""

import json
from pathlib import Path

import pytest
from small import Laboratory

STAGES = ("train", "evaluate", "figures")

VARIABLES = {
    # Keras and TensorFlow
    "KERAS_BACKEND": "jax",
    "KERAS_NNX_ENABLED": "1",
    "KERAS_MAX_EPOCHS": "abc",
    "KERAS_MAX_STEPS_PER_EPOCH": "1",
    "TF_USE_LEGACY_KERAS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_FUNCTION_JIT_COMPILE_DEFAULT": "1",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
    "TF_NUM_INTRAOP_THREADS": "8",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "CUDA_VISIBLE_DEVICES": "0",
    # NumPy and its libraries
    "NPY_DISABLE_CPU_FEATURES": "AVX2",
    "NPY_ENABLE_CPU_FEATURES": "AVX512F",
    "NPY_PROMOTION_STATE": "legacy",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENBLAS_CORETYPE": "Sandybridge",
    # Matplotlib, in a notebook
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # MLflow
    "MLFLOW_EXPERIMENT_NAME": "other",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "true",
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "true",
    "MLFLOW_LOGGING_LEVEL": "DEBUG",
    "MLFLOW_DEFAULT_ARTIFACT_ROOT": "/none",
    "MLFLOW_TRUNCATE_LONG_VALUES": "false",
    "MLFLOW_TRACKING_USERNAME": "student",
    "MLFLOW_TRACKING_PASSWORD": "s3cret",
    # Optuna, Dask and DVC
    "OPTUNA_STORAGE": "sqlite:////none/optuna.db",
    "DASK_CONFIG": "/none",
    "DASK_TEMPORARY_DIRECTORY": "/none",
    "DVC_NO_ANALYTICS": "1",
    "DVC_STUDIO_TOKEN": "none",
    # Python and the terminal
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "0",
    "PYTHONIOENCODING": "latin-1",
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "LC_ALL": "C",
    "LANG": "C",
    "TZ": "Asia/Kathmandu",
    "COLUMNS": "20",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "SOURCE_DATE_EPOCH": "0",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "SSL_CERT_FILE": "/none",
}


def results(laboratory: Laboratory) -> dict[str, bytes]:
    """The files of a network's training, evaluation and figures."""
    folders = ("models/drawer", "reports/figures/drawer")
    files = [path for folder in folders for path in (laboratory.root / folder).iterdir()]
    files += [laboratory.root / f"reports/metrics/drawer.{end}" for end in ("json", "csv")]
    return {str(path.relative_to(laboratory.root)): path.read_bytes() for path in files}


def run(laboratory: Laboratory, **environment: str) -> dict[str, bytes]:
    """Run the stages of a network in processes of their own, and return the results."""
    for stage in STAGES:
        command = ("python", "-m", "pipeline", stage, "drawer")
        laboratory.run(*command, env=environment, warm=False)
    return results(laboratory)


def test_variables_of_libraries_change_nothing(mine):
    """Passwords of git, DVC and MLflow are written nowhere else."""
    mine.run("git", "remote", "add", "origin", "https://student:s3cret@example.org/lab.git")
    mine.run("dvc", "remote", "add", "--default", "store", "https://student:s3cret@example.org")
    mine.run("dvc", "remote", "modify", "--local", "store", "password", "s3cret")
    before = results(mine)
    assert run(mine, **VARIABLES) == before
    settings = {mine.root / name for name in (".git/config", ".dvc/config", ".dvc/config.local")}
    files = {path for path in mine.root.rglob("*") if path.is_file()}
    assert {path for path in files if b"s3cret" in path.read_bytes()} == settings


def test_settings_files_of_libraries_change_nothing(mine, tmp_path):
    settings = {
        ".keras/keras.json": json.dumps(
            {
                "backend": "jax",
                "floatx": "float16",
                "epsilon": 0.5,
                "image_data_format": "channels_first",
            }
        ),
        ".config/matplotlib/matplotlibrc": "font.size: 20\ntext.usetex: True\nsvg.fonttype: path\n",
        ".config/dask/dask.yaml": "distributed: {worker: {daemon: true}}\n",
    }
    write(tmp_path / "home", settings)
    with (tmp_path / "home/.config/matplotlib/matplotlibrc").open("ab") as file:
        file.write("# größer".encode("latin-1"))
    before = results(mine)
    assert run(mine, HOME=str(tmp_path / "home")) == before


@pytest.mark.parametrize("content", ['{"floatx": "none"}', '{"epsilon": "small"}', "[]"])
def test_keras_settings_that_it_cannot_use_are_an_error(mine, tmp_path, content):
    write(tmp_path, {"keras.json": content})
    command = ("python", "-m", "pipeline", "train", "drawer")
    done = mine.run(*command, env={"KERAS_HOME": str(tmp_path)}, warm=False, check=False)
    assert done.returncode == 2
    assert f"error: {tmp_path}/keras.json: Keras cannot use it (" in done.stderr
    assert "Traceback" not in done.stderr


def test_characters_that_a_terminal_lacks_are_replaced(mine):
    command = ("python", "-m", "pipeline", "show", "words")
    done = mine.run(*command, env={"PYTHONIOENCODING": "ascii"}, warm=False)
    assert "?" in done.stdout


def write(folder: Path, files: dict[str, str]) -> None:
    """Write text files into a folder, by their relative paths."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
