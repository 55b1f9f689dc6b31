"""Stage `study@<name>`: run the trials of a study, and show what they found."""

from collections.abc import Callable, Mapping, Sequence
from tempfile import NamedTemporaryFile

from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.problems.base import Problem
from pipeline.runs.tracker import Tracker
from pipeline.studies import executors, export, figures
from pipeline.studies import storage as stores
from pipeline.studies.plan import StudyPlan, Trial, make_plan
from pipeline.studies.run import best, run_study
from pipeline.studies.storage import Store
from pipeline.studies.trial import Result
from pipeline.utils import console, files, paths
from pipeline.utils.errors import InputError


def run(
    name: str,
    workers: int | None = None,
    dask: str | None = None,
    storage: str | None = None,
    until: int | None = None,
    make_tracker: Callable[[], Tracker] = Tracker,
) -> None:
    """Write reports/studies/<name>/ and data/studies/<name>.npz, once all trials are there."""
    found = load_params(paths.params())
    study = found.study(name)

    _check_writable(name)
    wanted = min(until or study.planned, study.planned)
    plan = make_plan(name, found)
    with stores.opened(plan, storage) as store:
        _bring_back(plan, store)
        with (
            console.progress(f"study {name}", wanted, "trials") as progress,
            executors.opened(workers, dask) as pool,
        ):
            report = _reporter(plan, progress)
            try:
                ended, confirmed = run_study(plan, store, pool, report, until)
            except KeyboardInterrupt:
                kept = len(store.finished())
                console.print_status(
                    f"stopped; {kept} of {study.planned} trials are kept. "
                    f"Go on with: {_again(name, storage, dask)}"
                )
                raise
    export.write_arrays(plan, ended, confirmed)
    write(plan, ended, confirmed)

    make_tracker().record_study(name)


def _again(name: str, storage: str | None, dask: str | None) -> str:
    """How to go on with a study. Addresses, which may hold passwords, are not repeated."""
    given = [option for option, v in (("--storage", storage), ("--dask", dask)) if v]
    return f"pipeline study {name}" + (f", with the same {' and '.join(given)}" if given else "")


def _check_writable(name: str) -> None:
    """InputError now rather than after the last trial."""
    for folder in (paths.study(name).parent, paths.trials(name).parent):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=folder, prefix=".writable.", suffix=".partial"):
                pass
        except OSError as error:
            shown = paths.relative(folder)
            raise InputError(f"{shown}: cannot be written ({error.strerror})") from None


def _bring_back(plan: StudyPlan, store: Store) -> None:
    """Take over the trials of data/studies/, where they came from DVC's cache or a remote."""
    try:
        ended, confirmed = export.read_arrays(plan)
    except InputError:  # of other parameters, or none
        return
    there = store.finished()
    for trial in ended:
        if trial.number not in there:
            store.add(trial)
    known = store.confirmations()
    for name, result in confirmed.items():
        if name not in known:
            store.confirm(name, result)


def _reporter(
    plan: StudyPlan, progress: Callable[[int, str], None]
) -> Callable[[Mapping[int, Trial]], None]:
    """Tell of the trials that have ended, and of the best so far."""
    objective = next(iter(plan.study.objectives))

    def report(done: Mapping[int, Trial]) -> None:
        trials = [done[number] for number in sorted(done)]
        winners = best(plan, trials)
        note = f"best {objective} {winners[0].mean(objective):.4g}" if winners else ""
        if len(plan.study.objectives) > 1 and winners:
            note = f"{len(winners)} that no other beats"
        progress(len(trials), note)

    return report


def write(plan: StudyPlan, ended: Sequence[Trial], confirmed: Mapping[str, Result]) -> None:
    """Write reports/studies/<name>/: the table, the best, the figures and their captions."""
    problem = Problem(plan.study.problem)
    table = export.table(plan, ended)
    summary = export.as_json(export.summary(plan, ended, confirmed, problem.metrics.describe))
    pictures = figures.draw(plan, ended, confirmed, summary)
    with files.atomic_write(paths.study(plan.name)) as folder:
        folder.mkdir()
        table.to_csv(folder / "trials.csv", index=False, lineterminator="\n")
        files.write_json(folder / "best.json", summary)
        for picture in pictures:
            plotting.save(picture.figure, folder / f"{picture.name}.svg")
        captions = {f"{picture.name}.svg": picture.caption for picture in pictures}
        files.write_json(folder / paths.CAPTIONS, captions)
