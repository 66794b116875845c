"""Counts with their noun."""

from invoiced_pipeline.plurals import counted


def test_singular_and_plural() -> None:
    assert [counted(n, "row") for n in (0, 1, 2, 1204)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,204 rows",
    ]
    assert counted(2, "record fits", "records fit") == "2 records fit"
