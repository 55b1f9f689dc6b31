"""Optuna: questions that are answered by many trainings.

A *study* varies a network over a space; each *trial* trains the network of one point, all its
replicas side by side, with the code of the train stage. The process that runs the study holds it
and writes each trial once it has ended; workers know nothing but `(network, replicas) -> result`.
So a study that was killed goes on where it was, the same trials are made by any number of workers,
and what is exported is the same bytes. Nothing outside this package imports optuna.
"""

from collections.abc import Callable, Mapping

from pipeline.studies import identity, pools, storage
from pipeline.studies.asking import Plan, Trial, plan
from pipeline.studies.trials import Job, Result

__all__ = ["Plan", "Trial", "best", "plan", "run"]

TUNED, UNTUNED = "tuned", "untuned"
"""What is trained anew after a search: its best trial, and the network that it varied."""

Report = Callable[[Mapping[int, Trial]], None]


def run(
    plan: Plan, store: storage.Store, pool: pools.Pool, report: Report, until: int | None = None
) -> tuple[list[Trial], dict[str, Result]]:
    """Run what is missing of a study, or of its first `until` trials; all trials in their order.

    The second part is what was confirmed, if the study asks for it and has all of its trials.
    """
    until = min(until or plan.study.planned, plan.study.planned)
    done = {number: trial for number, trial in store.finished().items() if number < until}
    report(done)
    for batch in plan.batches:
        if batch.start < until:
            before = [done[number] for number in range(batch.start)]
            _run_batch(plan, [n for n in batch if n < until], before, done, store, pool, report)
    trials = [done[number] for number in range(until)]
    confirmed: dict[str, Result] = {}
    if plan.study.confirm and until == plan.study.planned:
        confirmed = _confirm(plan, trials, store, pool)
    return trials, confirmed


def _run_batch(
    plan: Plan,
    batch: list[int],
    before: list[Trial],
    done: dict[int, Trial],
    store: storage.Store,
    pool: pools.Pool,
    report: Report,
) -> None:
    """Run the trials of a batch that are missing."""
    missing = [number for number in batch if number not in done]
    # From the last to the first: choices rise, so the costliest trials come first, and no worker
    # waits long for the end of the others.
    points = {number: plan.ask(number, before) for number in reversed(missing)}
    hurdles = plan.hurdles(before)
    jobs = {n: job(plan, plan.document(p), plan.replicas, hurdles) for n, p in points.items()}
    for number, result in pool.run(jobs) if jobs else ():
        done[number] = plan.ended(number, points[number], result)
        store.add(done[number])
        report(done)


def job(plan: Plan, document: dict, replicas: list[int], hurdles: list) -> Job:
    """What a worker is given."""
    return Job(identity.worker(plan.study.problem), document, replicas, hurdles)


def best(plan: Plan, trials: list[Trial]) -> list[Trial]:
    """The best trial, or all that no other beats in every objective; sound ones alone.

    Of several that are best it is the one with fewest parameters.
    """
    sound = [trial for trial in trials if trial.sound(plan.study)]
    signs = [1 if way == "minimize" else -1 for way in plan.study.objectives.values()]
    costs = [
        [sign * value for sign, value in zip(signs, trial.values(plan.study), strict=True)]
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
    plan: Plan, trials: list[Trial], store: storage.Store, pool: pools.Pool
) -> dict[str, Result]:
    """Train the best trial, and the network as it was, on replicas that no trial has seen."""
    winners = best(plan, trials)
    if not winners:
        return {}
    points = {TUNED: winners[0].point, UNTUNED: None}
    done = store.confirmations()
    missing = [name for name in points if name not in done]
    jobs = {
        number: job(plan, plan.document(points[name]), plan.fresh, [])
        for number, name in enumerate(missing)
    }
    for number, result in pool.run(jobs) if jobs else ():
        store.confirm(missing[number], result)
        done[missing[number]] = result
    return {name: done[name] for name in points}
