"""Stage `study@<name>`: run the missing trials of a study and write its results."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from tempfile import NamedTemporaryFile

from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.problems.load import Problem
from pipeline.runs import executors
from pipeline.runs.tracker import Tracker
from pipeline.schema.params import Params
from pipeline.studies import export, figures
from pipeline.studies.plan import StudyPlan, Trial, make_plan
from pipeline.studies.run import best, confirmation_jobs, run_study
from pipeline.studies.storage import TrialStore, open_store
from pipeline.studies.trial import TrialResult
from pipeline.utils import console, files, paths
from pipeline.utils.errors import InputError, TrainingError


def run(
    name: str,
    workers: int | None = None,
    dask: str | None = None,
    storage: str | None = None,
    limit: int | None = None,
    make_tracker: Callable[[], Tracker] = Tracker,
) -> None:
    """Run a study and write reports/studies/<name>/ and data/studies/<name>.npz.

    `workers` and `dask` are those of `open_executor`, `storage` is the address for `open_store`.
    With `limit`, only the first `limit` trials are run and exported. Raises TrainingError after the
    export if every replica of every trial diverged.
    """
    params = load_params(paths.params())
    planned = params.study(name).planned
    if limit and limit > planned:
        raise InputError(f"--trials: must be at most {planned} for study {name}, got {limit}")
    limit = limit or planned
    _check_writable(name)
    plan = make_plan(name, params)
    trials, confirmed = _run_trials(plan, params, workers, dask, storage, limit)
    export.write_arrays(plan, trials, confirmed)
    write(plan, trials, confirmed)
    make_tracker().record_study(name)
    if all(trial.result.diverged.all() for trial in trials):
        raise TrainingError(
            f"{name}: all replicas of all {len(trials)} trials diverged; try smaller choices of "
            "training.learning_rate, or training.clip_norm: 1"
        )


def _run_trials(
    plan: StudyPlan,
    params: Params,
    workers: int | None,
    dask: str | None,
    storage: str | None,
    limit: int,
) -> tuple[list[Trial], dict[str, TrialResult]]:
    """Run the missing trials; returns the first `limit` trials and the confirmation."""
    name = plan.name
    question = load_report(paths.report_texts(), params).texts(name).question
    with open_store(plan, storage, export.attributes(plan, question)) as store:
        _restore(plan, store)
        initial = sum(number < limit for number in store.finished())
        with (
            console.progress(f"study {name}", limit, "trials", initial=initial) as progress,
            executors.open_executor(workers, dask) as executor,
        ):
            try:
                return run_study(plan, store, executor, _reporter(plan, progress), limit)
            except KeyboardInterrupt:
                console.print_status(
                    f"stopped: {len(store.finished())} of {plan.study.planned} trials are finished "
                    f"and kept; resume with: {_command(name, storage, dask)}"
                )
                raise
            except TrainingError as error:
                raise TrainingError(f"{error} Finished trials are kept.") from None


def _command(name: str, storage: str | None, dask: str | None) -> str:
    """The command that resumes a study, without addresses: they may contain passwords."""
    options = [option for option, value in (("--storage", storage), ("--dask", dask)) if value]
    same = f" (with the same {' and '.join(options)})" if options else ""
    return f"pipeline study {name}{same}"


def _check_writable(name: str) -> None:
    """Raise InputError before the first trial if the results could not be written."""
    for folder in (paths.study(name).parent, paths.trials(name).parent):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=folder, prefix=".writable.", suffix=".partial"):
                pass
        except OSError as error:
            where = paths.relative(folder)
            raise InputError(f"{where}: cannot be written ({error.strerror})") from None


def _restore(plan: StudyPlan, store: TrialStore) -> None:
    """Add the trials of data/studies/<name>.npz, which may come from DVC's cache or a remote."""
    try:
        trials, confirmed = export.read_arrays(plan)
    except InputError:  # of other parameters, or missing
        return
    finished = store.finished()
    for trial in trials:
        if trial.number not in finished:
            store.add(trial)
    for name, job in confirmation_jobs(plan, trials).items():
        if name in confirmed:
            store.add_confirmation(name, confirmed[name], job)


def _reporter(
    plan: StudyPlan, progress: Callable[[int, str], None]
) -> Callable[[Mapping[int, Trial]], None]:
    """A callback that shows the number of finished trials and the best so far."""
    objective = next(iter(plan.study.objectives))
    label = Problem(plan.study.problem).metrics.describe(objective).label
    winners: list[Trial] = []
    seen = 0

    def report(done: Mapping[int, Trial]) -> None:
        nonlocal winners, seen
        winners = best(plan, [*winners, *itertools.islice(done.values(), seen, None)])
        seen = len(done)
        note = f"best {label}: {winners[0].mean(objective):.4g}" if winners else ""
        if len(plan.study.objectives) > 1 and winners:
            note = f"{len(winners)} Pareto-optimal"
        progress(len(done), note)

    return report


def write(plan: StudyPlan, trials: Sequence[Trial], confirmed: Mapping[str, TrialResult]) -> None:
    """Write reports/studies/<name>/: trials.csv, best.json, the figures and their captions."""
    table = export.make_table(plan, trials)
    summary = export.summarize(plan, trials, confirmed)
    labels = plotting.variant_labels(plan.name)
    captioned = figures.draw(plan, trials, confirmed, summary, labels)
    with files.atomic_write(paths.study(plan.name)) as folder:
        folder.mkdir()
        table.to_csv(folder / "trials.csv", index=False, lineterminator="\n")
        files.write_json(folder / "best.json", summary)
        for entry in captioned:
            plotting.save(entry.figure, folder / f"{entry.name}.svg")
        captions = {f"{entry.name}.svg": entry.caption for entry in captioned}
        files.write_json(folder / paths.CAPTIONS, captions)
