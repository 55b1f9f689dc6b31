"""The page of the benchmarks, and what the report shows of it."""

from benchmarks import page


def test_the_caption_of_the_cold_repro_has_the_number_of_experiments(monkeypatch):
    machine = {"processor": "CPU", "cores": 2, "memory_gib": 8}
    monkeypatch.setattr(page, "_machines", lambda: {"repro": machine})
    rows = [{"what": "cold repro", "seconds": 9.0, "how": "of 3 experiments, watched by py-spy"}]
    summary = page._summary({"repro": {"goals": [], "tables": {"repro": rows}}})
    (caption,) = summary["figures"].values()
    assert caption.endswith("(3 experiments, watched by py-spy).")
