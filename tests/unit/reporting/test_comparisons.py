"""Paired differences of compared networks."""

from pipeline.reporting import comparisons


def test_p_values_are_corrected_and_left_out_where_they_cannot_be_small():
    def corrected(replicas: int, count: int) -> list[float | None]:
        rows = [{"p_value": 2.0 ** (1 - replicas), "replicas": replicas} for _ in range(count)]
        comparisons.correct_p_values(rows)
        return [row["p_value"] for row in rows]

    assert corrected(8, 3) == [3 * 2**-7] * 3
    assert corrected(5, 1) == [None]
    assert corrected(8, 8) == [None] * 8


def test_a_metric_without_a_direction_has_no_p_value():
    rows = [{"p_value": None, "replicas": 8}]
    comparisons.correct_p_values(rows)
    assert rows[0]["p_value"] is None
