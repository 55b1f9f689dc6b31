"""`pipeline verify`: compare the metrics in reports/ with those of a git revision.

On x86-64 processors with AVX2 and with the libraries of requirements.lock, results should be the
same bytes. Elsewhere, rounding differs, and training amplifies it until the replicas are other
samples of the same distribution. So a metric is compared over replicas, in this order:

- same: equal for every replica;
- rounding: equal to a relative difference of `ROUNDING`;
- spread: the means differ no more than replicas explain, by Welch's t-test;
- outside: they do, at a significance of `SIGNIFICANCE` divided by the number of the network's
  metrics (Bonferroni's correction, since the metrics of a network depend on each other);
- unclear: it differs, and there are fewer than two replicas to tell by.

Networks, and trials with the same parameters, that only one of both has are counted as "unmatched".

If the results agree, a network, or a trial of a study, has a metric outside with a probability of
at most `SIGNIFICANCE`. The comparison fails if there are more of them than in 99% of such cases,
according to the binomial distribution over the networks that were compared by the t-test.
"""

import io
import re
import subprocess
import warnings
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import scipy

from pipeline.utils import console, paths
from pipeline.utils.errors import InputError

TABLES = ("reports/metrics/*.csv", "reports/studies/*/trials.csv")
ROUNDING = 1e-5
SIGNIFICANCE = 0.01
VERDICTS = ("same", "rounding", "spread", "outside", "unclear")

Values = Mapping[str, np.ndarray]
"""The values of each metric of a network or trial, one per replica."""


def run(revision: str) -> bool:
    """Print a table with a row per experiment and study; returns whether the results agree.

    Raises InputError if the revision does not exist, or if it has no results to compare with.
    """
    try:
        _git("rev-parse", "--verify", f"{revision}^{{commit}}")
    except InputError as error:
        if "single revision" in str(error):
            raise InputError(f"unknown revision {revision!r}") from None
        raise
    tables = [
        name
        for name in _git("ls-tree", "-r", "--name-only", revision, "--", "reports").splitlines()
        if any(fnmatch(name, pattern) for pattern in TABLES)
    ]
    rows: list[dict] = []
    compared = outside = 0
    for name in tables:
        title = _title(PurePosixPath(name))
        theirs = _read(io.StringIO(_git("show", f"{revision}:./{name}")))
        try:
            ours = _read(paths.root() / name)
        except FileNotFoundError:
            ours = {}
        counts = Counter[str]()
        for network in ours.keys() & theirs.keys():
            verdicts = compare(ours[network], theirs[network])
            counts.update(verdicts.values())
            compared += bool({"spread", "outside"} & set(verdicts.values()))
            outside += "outside" in verdicts.values()
            for metric, verdict in verdicts.items():
                if verdict == "outside":
                    means = (f"{np.nanmean(side[network][metric]):.4g}" for side in (theirs, ours))
                    console.print_status(f"{title}, {network}: {metric} {' → '.join(means)}")
        rows.append(
            {"results": title}
            | {verdict: counts[verdict] for verdict in VERDICTS}
            | {"unmatched": len(ours.keys() ^ theirs.keys())}
        )
    if not rows:
        raise InputError(f"{revision}: has no results in reports/ to compare with")
    print(pd.DataFrame(rows).to_string(index=False))
    limit = int(scipy.stats.binom.ppf(0.99, compared, SIGNIFICANCE)) if compared else 0
    print(
        f"{outside} of the {compared} networks and trials that rounding does not explain have "
        f"metrics outside; chance explains up to {limit}."
    )
    return outside <= limit


def compare(ours: Values, theirs: Values) -> dict[str, str]:
    """Return the verdict on each of the metrics that both have, one of `VERDICTS`."""
    metrics = [metric for metric in ours if metric in theirs]
    return {
        metric: _verdict(ours[metric], theirs[metric], SIGNIFICANCE / len(metrics))
        for metric in metrics
    }


def _verdict(ours: np.ndarray, theirs: np.ndarray, significance: float) -> str:
    if len(ours) == len(theirs):
        if np.array_equal(ours, theirs, equal_nan=True):
            return "same"
        if np.allclose(ours, theirs, rtol=ROUNDING, atol=0, equal_nan=True):
            return "rounding"
    ours, theirs = ours[~np.isnan(ours)], theirs[~np.isnan(theirs)]
    if min(len(ours), len(theirs)) < 2:
        return "unclear"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of values that are all the same
        p = scipy.stats.ttest_ind(ours, theirs, equal_var=False).pvalue
    return "spread" if p >= significance or np.mean(ours) == np.mean(theirs) else "outside"


def _title(path: PurePosixPath) -> str:
    return f"study {path.parent.name}" if path.name == "trials.csv" else path.stem


def _read(file) -> dict[str, Values]:
    """Read the networks of `reports/metrics/*.csv`, or the trials of a study by their point."""
    table = pd.read_csv(file, dtype={"network": str})
    if "network" in table:
        return {
            network: {name: values.to_numpy(float) for name, values in rows.items()}
            for network, rows in table.set_index("network")
            .drop(columns=["replica", "diverged"])
            .groupby(level=0)
        }
    point = table.columns[2 : table.columns.get_loc("weights")]
    replicas = [re.fullmatch(r"(.+)\.\d+", name) for name in table]
    columns: dict[str, list[str]] = {}  # of the replicas, by metric
    for match in filter(None, replicas):
        columns.setdefault(match[1], []).append(match[0])
    return {
        ", ".join(f"{key} {row[key]}" for key in point): {
            metric: row[names].to_numpy(float) for metric, names in columns.items()
        }
        for _, row in table.iterrows()
    }


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=paths.root(), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise InputError("git is not installed, or not on PATH") from None
    if done.returncode:
        cause = done.stderr.strip().splitlines()[-1:] or ["failed"]
        raise InputError(f"git {' '.join(arguments)}: {cause[0]}")
    return done.stdout
