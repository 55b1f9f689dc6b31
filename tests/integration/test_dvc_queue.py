"""Two workers of DVC's queue: they share a database, and each experiment has its own run."""

CELLS = (5, 6)


def test_concurrent_experiments_do_not_mix_their_runs(mine):
    before = mine.rows("select count(*) from runs where lifecycle_stage = 'active'")[0][0]
    for cells in CELLS:
        mine.run(
            *("dvc", "exp", "run", "--queue", "--name", f"cells-{cells}"),
            *("-S", f"experiments.drawer.model.cells={cells}", "train@drawer"),
        )
    mine.run("dvc", "queue", "start", "--jobs", "2")
    mine.run("dvc", "queue", "logs", "--follow", f"cells-{CELLS[0]}")
    mine.run("dvc", "queue", "logs", "--follow", f"cells-{CELLS[1]}")
    header, row, *_ = mine.run("pipeline", "compare").stdout.splitlines()
    key, *values = row.split()
    assert key == "experiments.drawer.model.cells"
    assert dict(zip(header.split(), values, strict=True)) == {
        "main": "4",
        **{f"cells-{cells}": str(cells) for cells in CELLS},
    }
    query = """
    select name, status, p.value, e.value, json_extract(t.value, '$.training') from runs
    join params p on p.run_uuid = runs.run_uuid and p.key = 'model.cells'
    join tags e on e.run_uuid = runs.run_uuid and e.key = 'dvc.experiment'
    join tags t on t.run_uuid = runs.run_uuid and t.key = 'laboratory.digests'
    where lifecycle_stage = 'active' order by p.value
    """
    found = mine.rows(query)
    assert [run[:4] for run in found] == [
        (f"drawer (cells-{cells})", "FINISHED", str(cells), f"cells-{cells}") for cells in CELLS
    ]
    assert len({training for *_, training in found}) == len(CELLS)
    children = """
    select count(*), count(distinct c.run_uuid), sum(status = 'FINISHED') from runs c
    join tags t on t.run_uuid = c.run_uuid and t.key = 'mlflow.parentRunId' and t.value in
    (select run_uuid from tags where key = 'dvc.experiment')
    """
    assert mine.rows(children) == [(6, 6, 6)]
    points = """
    select count(*), count(distinct run_uuid) from metrics where key = 'val_mae' and run_uuid
    in (select run_uuid from tags where key = 'dvc.experiment') group by run_uuid
    """
    assert len(set(mine.rows(points))) == 1  # as many points on one as on the other
    after = mine.rows("select count(*) from runs where lifecycle_stage = 'active'")[0][0]
    assert after == before + len(CELLS) * 4  # each with its three replicas
    assert mine.rows("select count(*) from runs where status = 'RUNNING'") == [(0,)]
