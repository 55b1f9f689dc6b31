"""Stage `study@<name>`: run the trials of a study, and show what they found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from pipeline import console
from pipeline.core import files, project, reading
from pipeline.core.rooms import Room
from pipeline.errors import InputError

if TYPE_CHECKING:  # these load Optuna
    from pipeline.studies import Plan, Trial
    from pipeline.studies.storage import Store
    from pipeline.studies.trials import Result

CAPTIONS = "captions.json"


def run(
    name: str,
    workers: int | None = None,
    dask: str | None = None,
    storage: str | None = None,
    until: int | None = None,
) -> None:
    """Write reports/studies/<name>/ and data/studies/<name>.npz, once all trials are there."""
    found = reading.read(project.params())
    study = found.study(name)  # before Optuna is loaded

    from pipeline import studies
    from pipeline.studies import exports, pools
    from pipeline.studies import storage as stores

    _check_writable(name)
    wanted = min(until or study.planned, study.planned)
    plan = studies.plan(name, found)
    with stores.opened(plan, storage) as store:
        _bring_back(plan, store)
        with (
            console.progress(f"study {name}", wanted, "trials") as progress,
            pools.opened(workers, dask) as pool,
        ):
            report = _reporter(plan, progress)
            try:
                ended, confirmed = studies.run(plan, store, pool, report, until)
            except KeyboardInterrupt:
                kept = len(store.finished())
                console.say(
                    f"stopped; {kept} of {study.planned} trials are kept. "
                    f"Go on with: {_again(name, storage, dask)}"
                )
                raise
    exports.write_arrays(plan, ended, confirmed)
    write(plan, ended, confirmed)

    from pipeline import tracking

    tracking.record_study(name)


def _again(name: str, storage: str | None, dask: str | None) -> str:
    """How to go on with a study. Addresses, which may hold passwords, are not repeated."""
    given = [option for option, v in (("--storage", storage), ("--dask", dask)) if v]
    return f"pipeline study {name}" + (f", with the same {' and '.join(given)}" if given else "")


def _check_writable(name: str) -> None:
    """InputError now rather than after the last trial."""
    for folder in (project.study(name).parent, project.trials(name).parent):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=folder, prefix=".writable.", suffix=".partial"):
                pass
        except OSError as error:
            shown = project.relative(folder)
            raise InputError(f"{shown}: cannot be written ({error.strerror})") from None


def _bring_back(plan: Plan, store: Store) -> None:
    """Take over the trials of data/studies/, where they came from DVC's cache or a remote."""
    from pipeline.studies import exports

    try:
        ended, confirmed = exports.read_arrays(plan)
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
    plan: Plan, progress: Callable[[int, str], None]
) -> Callable[[Mapping[int, Trial]], None]:
    """Tell of the trials that have ended, and of the best so far."""
    from pipeline import studies

    objective = next(iter(plan.study.objectives))

    def report(done: Mapping[int, Trial]) -> None:
        trials = [done[number] for number in sorted(done)]
        winners = studies.best(plan, trials)
        note = f"best {objective} {winners[0].mean(objective):.4g}" if winners else ""
        if len(plan.study.objectives) > 1 and winners:
            note = f"{len(winners)} that no other beats"
        progress(len(trials), note)

    return report


def write(plan: Plan, ended: Sequence[Trial], confirmed: Mapping[str, Result]) -> None:
    """Write reports/studies/<name>/: the table, the best, the figures and their captions."""
    from pipeline import style
    from pipeline.studies import exports, figures

    room = Room(plan.study.problem)
    table = exports.table(plan, ended)
    summary = exports.as_json(exports.summary(plan, ended, confirmed, room.metrics.describe))
    pictures = figures.draw(plan, ended, confirmed, summary)
    with files.whole(project.study(plan.name)) as folder:
        folder.mkdir()
        table.to_csv(folder / "trials.csv", index=False, lineterminator="\n")
        files.write_json(folder / "best.json", summary)
        for picture in pictures:
            style.save(picture.figure, folder / f"{picture.name}.svg")
        captions = {f"{picture.name}.svg": picture.caption for picture in pictures}
        files.write_json(folder / CAPTIONS, captions)
