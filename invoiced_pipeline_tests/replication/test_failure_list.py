"""Errors of a run, as people read them."""

from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.replication.failure_list import Failure, failure_lines, under_headings


def test_equal_errors_share_a_line() -> None:
    cause = "the API answers 503 (8 tries each); try again later"
    same = [Failure(name, f"GET /{name} answered 503", cause) for name in TABLE_NAMES]
    assert failure_lines(same) == [f"16 tables: {cause}"]
    assert failure_lines(same[:1]) == ["customers: GET /customers answered 503"]
    feed = Failure("deletions", "GET /events answered 503", cause, is_table=False)
    assert failure_lines([feed, *same]) == [f"deletions and 16 tables: {cause}"]
    other = Failure("plans", "the response is incomplete")
    assert failure_lines([*same[:2], other]) == [
        f"2 tables (customers, invoices): {cause}",
        "plans: the response is incomplete",
    ]
    assert (
        under_headings([("not complete", ["a: x"]), ("loaded, but look", [])])
        == "not complete: a: x"
    )
    assert under_headings([("not complete", ["a: x", "b: y"]), ("loaded, but look", ["c: z"])]) == (
        "not complete:\n  a: x\n  b: y\nloaded, but look: c: z"
    )
