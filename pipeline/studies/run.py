"""Running a study: what is missing of it, batch by batch."""

from collections.abc import Callable, Mapping

from pipeline.runs import fingerprint
from pipeline.studies import executors, storage
from pipeline.studies.plan import StudyPlan, Trial, make_plan
from pipeline.studies.trial import Job, Result

TUNED, UNTUNED = "tuned", "untuned"
"""What is trained anew after a search: its best trial, and the network that it varied."""

Report = Callable[[Mapping[int, Trial]], None]


def run_study(
    plan: StudyPlan,
    store: storage.Store,
    pool: executors.Pool,
    report: Report,
    until: int | None = None,
) -> tuple[list[Trial], dict[str, Result]]:
    """Run what is missing of a study, or of its first `until` trials; all trials in their order.

    The second part is what was confirmed, if the study asks for it and has all of its trials.
    """
    until = min(until or make_plan.study.planned, make_plan.study.planned)
    done = {number: trial for number, trial in store.finished().items() if number < until}
    report(done)
    for batch in make_plan.batches:
        if batch.start < until:
            before = [done[number] for number in range(batch.start)]
            _run_batch(
                make_plan, [n for n in batch if n < until], before, done, store, pool, report
            )
    trials = [done[number] for number in range(until)]
    confirmed: dict[str, Result] = {}
    if make_plan.study.confirm_replicas and until == make_plan.study.planned:
        confirmed = _confirm(make_plan, trials, store, pool)
    return trials, confirmed


def _run_batch(
    plan: StudyPlan,
    batch: list[int],
    before: list[Trial],
    done: dict[int, Trial],
    store: storage.Store,
    pool: executors.Pool,
    report: Report,
) -> None:
    """Run the trials of a batch that are missing."""
    missing = [number for number in batch if number not in done]
    # From the last to the first: choices rise, so the costliest trials come first, and no worker
    # waits long for the end of the others.
    points = {number: make_plan.ask(number, before) for number in reversed(missing)}
    thresholds = make_plan.thresholds(before)
    jobs = {
        n: job(make_plan, make_plan.document(p), make_plan.replicas, thresholds)
        for n, p in points.items()
    }
    for number, result in pool.run(jobs) if jobs else ():
        done[number] = make_plan.ended(number, points[number], result)
        store.add(done[number])
        report(done)


def job(plan: StudyPlan, document: dict, replicas: list[int], thresholds: list) -> Job:
    """What a worker is given."""
    return Job(fingerprint.worker(make_plan.study.problem), document, replicas, thresholds)


def best(plan: StudyPlan, trials: list[Trial]) -> list[Trial]:
    """The best trial, or all that no other beats in every objective; sound ones alone.

    Of several that are best it is the one with fewest parameters.
    """
    sound = [trial for trial in trials if trial.sound(make_plan.study)]
    signs = [1 if way == "minimize" else -1 for way in make_plan.study.objectives.values()]
    costs = [
        [sign * value for sign, value in zip(signs, trial.values(make_plan.study), strict=True)]
        for trial in sound
    ]
    if len(signs) == 1:
        ranked = zip(costs, sound, strict=True)
        ranked = sorted(ranked, key=lambda entry: (entry[0], entry[1].result.parameters))
        return [trial for _, trial in ranked[:1]]
    return [
        trial
        for trial, cost in zip(sound, costs, strict=True)
        if not any(
            other != cost and all(o <= c for o, c in zip(other, cost, strict=True))
            for other in costs
        )
    ]


def _confirm(
    plan: StudyPlan, trials: list[Trial], store: storage.Store, pool: executors.Pool
) -> dict[str, Result]:
    """Train the best trial, and the network as it was, on replicas that no trial has seen."""
    winners = best(make_plan, trials)
    if not winners:
        return {}
    points = {TUNED: winners[0].point, UNTUNED: None}
    done = store.confirmations()
    missing = [name for name in points if name not in done]
    jobs = {
        number: job(make_plan, make_plan.document(points[name]), make_plan.fresh, [])
        for number, name in enumerate(missing)
    }
    for number, result in pool.run(jobs) if jobs else ():
        store.confirm(missing[number], result)
        done[missing[number]] = result
    return {name: done[name] for name in points}
