"""Open invoices by the week in which they are due: the cash to expect."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from invoiced_pipeline.plurals import counted
from invoiced_pipeline.report.charts import Label, Point, Series, stacked_columns
from invoiced_pipeline.report.colours import BLUE, GREY, VERMILION
from invoiced_pipeline.report.exhibit import Column, Exhibit, Table, text_column
from invoiced_pipeline.report.formats import day, figure, money
from invoiced_pipeline.report.receivables.scope import Scope

_WEEKS = 8
"""Weeks that are shown one by one; what is due after them is one column."""

_SOON = 4

_OVERDUE = Series("overdue", VERMILION)
_DUE = Series("due in the week from", BLUE)
_UNDATED = Series("no due date", GREY)


class _Due(NamedTuple):
    key: str
    words: str
    label: Label
    series: Series
    amount: Decimal
    invoices: int


def expected_cash(scope: Scope) -> Exhibit | None:
    """Returns what is open by the week in which it is due; None if nothing is open."""
    rows = scope.session.rows(
        """
        select case when days_late > 0 then null else due_date end, days_late > 0, closed,
            sum(open_amount), count(*)
        from invoiced__ar_open_items where is_today and currency = %s
        group by case when days_late > 0 then null else due_date end, days_late > 0, closed
        """,
        [scope.currency],
    )
    if not rows:
        return None
    closed = sum((row[3] for row in rows if row[2]), Decimal(0))
    due = _by_week(scope.as_of, [row for row in rows if not row[2]])
    shown = [each for each in due if each.invoices or each.series is _DUE]
    points = [
        Point(each.key, float(each.amount), each.series.name) for each in shown if each.amount
    ]
    note = "By due date, if everybody pays on the last day."
    if closed:
        note += (
            f" Without {money(closed, scope.currency)} of closed invoices, which stay open in the "
            "models but are not expected to be paid."
        )
    series = [each for each in (_OVERDUE, _DUE, _UNDATED) if any(s.series is each for s in shown)]
    return Exhibit(
        name="expected_cash",
        title=_title(scope, due),
        table=Table(
            f"Open invoices by due week, {scope.code}",
            (text_column("Due"), Column("Invoices"), Column("Amount")),
            [
                [each.words, f"{each.invoices:,}", figure(each.amount, scope.currency)]
                for each in shown
            ],
        ),
        chart=stacked_columns(
            points, {each.key: each.label for each in shown}, series, labelled=True
        ),
        note=note,
    )


def _by_week(as_of: date, rows: list[tuple]) -> list[_Due]:
    """Returns what is overdue, due in each of the next weeks and later, and without a date."""
    monday = as_of - timedelta(days=as_of.weekday())
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    invoices: dict[str, int] = defaultdict(int)
    for due_date, is_late, _, amount, count in rows:
        key = "overdue" if is_late else _week_key(due_date, monday)
        amounts[key] += amount
        invoices[key] += count
    weeks = [monday + timedelta(weeks=index) for index in range(_WEEKS)]
    end = monday + timedelta(weeks=_WEEKS)
    named: list[tuple[str, str, Label, Series]] = [
        ("overdue", "Overdue", ("over-", "due"), _OVERDUE),
        *(
            (str(each), f"Week of {day(each)}", (f"{each.day}", f"{each:%b}"), _DUE)
            for each in weeks
        ),
        ("later", f"From {day(end)} on", "later", _DUE),
        ("undated", "No due date", ("no", "date"), _UNDATED),
    ]
    return [
        _Due(key, words, label, series, amounts[key], invoices[key])
        for key, words, label, series in named
    ]


def _week_key(due_date: date | None, monday: date) -> str:
    if due_date is None:
        return "undated"
    week = due_date - timedelta(days=due_date.weekday())
    return str(week) if week < monday + timedelta(weeks=_WEEKS) else "later"


def _title(scope: Scope, due: list[_Due]) -> str:
    overdue, *weeks = due
    soon = weeks[: _SOON + 1]
    until = (
        scope.as_of - timedelta(days=scope.as_of.weekday()) + timedelta(weeks=_SOON + 1, days=-1)
    )
    amount = sum((each.amount for each in soon), Decimal(0))
    count = sum(each.invoices for each in soon)
    title = f"Nothing falls due by {day(until)}"
    if count:
        title = (
            f"{money(amount, scope.currency)} on {counted(count, 'invoice')} is due by {day(until)}"
        )
    if overdue.amount > 0:
        title += f"; {money(overdue.amount, scope.currency)} is overdue already"
    return title
