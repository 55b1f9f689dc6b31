"""Run a study: its missing trials, batch by batch, and the confirmation of the best one."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.runs.executors import Executor
from pipeline.runs.fingerprint import Version
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.storage import TrialStore
from pipeline.studies.trial import Job, Threshold, TrialResult, run_trial

TUNED, UNTUNED = "tuned", "untuned"
"""The networks of a confirmation: the best trial's, and the one that the study varied."""

OnTrial = Callable[[Mapping[int, Trial]], None]
"""Callback with all finished trials by number; called once at the start, then after each trial."""


def run_study(
    plan: StudyPlan, store: TrialStore, executor: Executor, on_trial: OnTrial, limit: int
) -> tuple[list[Trial], dict[str, TrialResult]]:
    """Run those of a study's first `limit` trials that are missing.

    Returns the first `limit` trials in order, and the confirmation: {TUNED or UNTUNED: result}. The
    confirmation is empty unless `confirm_replicas` is set and `limit` includes all trials.
    """
    done = {number: trial for number, trial in store.finished().items() if number < limit}
    on_trial(done)
    for batch in plan.batches:
        if batch.start < limit:
            numbers = [number for number in batch if number < limit]
            _run_batch(plan, numbers, done, store, executor, on_trial)
    trials = [done[number] for number in range(limit)]
    confirmed: dict[str, TrialResult] = {}
    if plan.study.confirm_replicas and limit == plan.study.planned:
        confirmed = _confirm(plan, trials, store, executor)
    return trials, confirmed


def _run_batch(
    plan: StudyPlan,
    batch: list[int],
    done: dict[int, Trial],
    store: TrialStore,
    executor: Executor,
    on_trial: OnTrial,
) -> None:
    """Run the missing trials of a batch and add them to `done`."""
    before = [done[number] for number in range(batch[0])]
    # Last to first: grids usually list their choices in ascending order, so that the largest
    # networks start first and no worker is idle for long at the end.
    missing = [number for number in reversed(batch) if number not in done]
    points = plan.ask(missing, before)
    thresholds = plan.thresholds(before)
    test_half = 0 if plan.study.confirm_replicas else None
    jobs = {
        number: _job(plan, point, plan.replicas, thresholds, test_half)
        for number, point in points.items()
    }
    store.enqueue(points)
    for number, result in _run_jobs(jobs, store, executor, store.start):
        done[number] = plan.make_trial(number, points[number], result)
        store.add(done[number], jobs[number])
        on_trial(done)


def _run_jobs(
    jobs: Mapping[int, Job],
    store: TrialStore,
    executor: Executor,
    on_start: Callable[[int], None] = lambda number: None,
) -> Iterator[tuple[int, TrialResult]]:
    """Yield the result of each job; those that are alike, or were run before, are not run again.

    `on_start` is called with the number of each job that starts.
    """
    alike: dict[str, list[int]] = {}
    for number, job in jobs.items():
        alike.setdefault(job.digest, []).append(number)
    known = store.find_results(alike)
    first = {numbers[0]: digest for digest, numbers in alike.items() if digest not in known}
    new = executor.run(
        _announce_and_run,
        {number: (jobs[number],) for number in first},
        lambda number, _: on_start(number),
    )
    for digest, result in itertools.chain(
        known.items(), ((first[number], result) for number, result in new)
    ):
        for number in alike[digest]:
            yield number, result


def _announce_and_run(job: Job, emit: Callable[[None], None]) -> TrialResult:
    emit(None)
    return run_trial(job)


def _job(
    plan: StudyPlan,
    point: Mapping[str, Any] | None,
    replicas: list[int],
    thresholds: list[Threshold],
    test_half: int | None,
) -> Job:
    version = Version.here(plan.study.problem)
    return Job(version, plan.config_dict(point), replicas, thresholds, test_half)


def best(plan: StudyPlan, trials: Sequence[Trial]) -> list[Trial]:
    """Return the best eligible trial; with several objectives, all Pareto-optimal ones.

    Of equally good trials of a single objective, the one with the fewest weights is the best.
    """
    eligible = [trial for trial in trials if trial.is_eligible(plan.study)]
    directions = plan.study.objectives.values()
    signs = [1 if direction == "minimize" else -1 for direction in directions]
    costs = [
        [sign * value for sign, value in zip(signs, trial.values(plan.study), strict=True)]
        for trial in eligible
    ]
    if len(signs) == 1:
        weights = [trial.result.weight_count for trial in eligible]
        order = sorted(range(len(eligible)), key=lambda index: (costs[index], weights[index]))
        return [eligible[index] for index in order[:1]]
    array = np.reshape(costs, (-1, len(signs)))
    return [
        trial
        for trial, cost in zip(eligible, array, strict=True)
        if not ((array <= cost).all(axis=1) & (array < cost).any(axis=1)).any()
    ]


def confirmation_jobs(plan: StudyPlan, trials: Sequence[Trial]) -> dict[str, Job]:
    """The trainings of the best and of the untuned network on replicas that no trial has used.

    They are evaluated on the half of the test sequences that did not select the best trial. Empty
    if no trial is eligible.
    """
    best_trials = best(plan, trials)
    points = {TUNED: best_trials[0].point, UNTUNED: None} if best_trials else {}
    return {
        name: _job(plan, point, plan.confirmation_replicas, [], test_half=1)
        for name, point in points.items()
    }


def _confirm(
    plan: StudyPlan, trials: Sequence[Trial], store: TrialStore, executor: Executor
) -> dict[str, TrialResult]:
    jobs = confirmation_jobs(plan, trials)
    names, results = list(jobs), {}
    for number, result in _run_jobs(dict(enumerate(jobs.values())), store, executor):
        name = names[number]
        store.add_confirmation(name, result, jobs[name])
        results[name] = result
    return {name: results[name] for name in names}
