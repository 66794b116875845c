"""When an address is notified of an incident: once at its beginning, once at its end."""

from invoiced_pipeline.alerts.incident import Finding, Incidents, Key, Kind, follow, mark_notified
from invoiced_pipeline.alerts.state import AlertState

INVOICES = Key("load", "invoices")
BOTH = {1, 2}


def finding(
    at: float, reason: str | None = None, kind: Kind = "load", state: str = "", count: int = 0
) -> Finding:
    return Finding(key=Key(kind, "invoices", state), at=at, reason=reason, count=count)


def after(incidents: Incidents, *findings: Finding, addresses: set[int] = BOTH) -> Incidents:
    return follow(incidents, findings, addresses=addresses, subjects={"invoices"})


def heard(incidents: Incidents, *addresses: int) -> Incidents:
    for address in addresses:
        incidents = mark_notified(incidents, address)
    return incidents


def to_tell(incidents: Incidents) -> list[tuple[set[int], set[int]]]:
    return [(set(each.pending), set(each.pending_end)) for each in incidents.values()]


def test_an_incident_is_told_once_until_it_is_over() -> None:
    found = after({}, finding(1, "A"))
    assert to_tell(found) == [(BOTH, set())]
    found = heard(found, 1, 2)
    for at, reason in ((2, "A"), (3, "B")):
        found = after(found, finding(at, reason))
        assert to_tell(found) == [(set(), set())]
    assert found[INVOICES].reason == "B"
    found = after(found, finding(4))
    assert to_tell(found) == [(set(), BOTH)]
    assert heard(found, 1, 2) == {}


def test_nothing_new_changes_nothing() -> None:
    found = heard(after({}, finding(5, "A")), 1, 2)
    assert after(found) == found
    # A success before the failure does not end it, and neither does one at the same time.
    assert after(found, finding(4), finding(5)) == found
    assert after({}, finding(4)) == {}


def test_findings_count_in_the_order_of_time() -> None:
    assert after({}, finding(3), finding(2, "A"))[INVOICES].is_over
    assert not after({}, finding(3, "A"), finding(2))[INVOICES].is_over


def test_an_address_that_was_not_reached_hears_of_beginning_and_end() -> None:
    found = heard(after({}, finding(1, "A")), 1)
    found = after(found, finding(2))
    assert to_tell(found) == [({2}, BOTH)]
    assert to_tell(heard(found, 1)) == [({2}, {2})]
    assert heard(found, 1, 2) == {}


def test_a_second_incident_is_told_to_those_who_know_of_the_end_of_the_first() -> None:
    found = heard(after({}, finding(1, "A")), 1, 2)
    found = heard(after(found, finding(2)), 1)
    found = after(found, finding(3, "A"))
    assert to_tell(found) == [({1}, set())]


def test_more_rows_are_news_and_fewer_are_not() -> None:
    def rows(at: float, count: int) -> Finding:
        return finding(at, "RowsLeft", "rows", "rejected", count)

    found = heard(after({}, rows(1, 3)), 1, 2)
    assert to_tell(after(found, rows(2, 3))) == [(set(), set())]
    found = after(found, rows(2, 2))
    assert to_tell(found) == [(set(), set())]
    assert to_tell(after(found, rows(3, 3))) == [(BOTH, set())]
    rejects = heard(after({}, finding(1, "A", "rejects", count=1)), 1, 2)
    assert to_tell(after(rejects, finding(2, "A", "rejects", count=9))) == [(set(), set())]


def test_removed_tables_and_addresses_are_forgotten() -> None:
    found = after({}, finding(1, "A"))
    assert follow(found, [], addresses=BOTH, subjects={"plans"}) == {}
    assert to_tell(after(found, addresses={1})) == [({1}, set())]


def test_the_cursor_holds_all_of_it() -> None:
    incidents = after({}, finding(1, "A"), finding(2, "B", "stale"))
    state = AlertState(next="acme").updated("invoiced", incidents)
    assert AlertState.decode(state.encode()) == state
    assert state.of("invoiced") == incidents
    assert state.updated("invoiced", {}).incidents == {}
    for cursor in (None, "", "not a cursor", "bm90IHpsaWI="):
        assert AlertState.decode(cursor) == AlertState()
