"""Receivables by age: today in every currency, and over the months in one."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from invoiced_pipeline.report.charts import (
    Point,
    Series,
    month_key,
    month_labels,
    shares,
    stacked_columns,
)
from invoiced_pipeline.report.colours import LATE_1, LATE_2, LATE_3, LATE_4, NOT_DUE
from invoiced_pipeline.report.exhibit import Column, Exhibit, Table, text_column
from invoiced_pipeline.report.formats import day, figure, money, share
from invoiced_pipeline.report.receivables.scope import Scope

_BUCKETS = (
    Series("not due", NOT_DUE),
    Series("1-30 days", LATE_1),
    Series("31-60", LATE_2),
    Series("61-90", LATE_3),
    Series("over 90", LATE_4),
)
_COLUMNS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90", "total_open", "overdue")
_SUMS = ", ".join(f"sum({name})" for name in (*_COLUMNS, "unapplied_cash", "open_credits"))
_HEADINGS = (*(Column(each.name) for each in _BUCKETS), Column("Open"), Column("Overdue"))
_TOTAL, _OVERDUE, _OVER_90 = 5, 6, 4

_NOTE = (
    "By days after the due date. Unapplied cash and open credits are not taken off. Amounts below "
    "zero, from overpaid invoices, are in the table only."
)


def aging_today(scopes: Sequence[Scope]) -> Exhibit:
    """Returns the age of receivables today, a row for each currency."""
    rows = {each.currency: _today(each) for each in scopes}
    owed = {currency: row for currency, row in rows.items() if row[_TOTAL] > 0}
    points = [
        Point(f"{currency.upper()}  {figure(row[_TOTAL], currency)}", float(amount), bucket.name)
        for currency, row in owed.items()
        for bucket, amount in zip(_BUCKETS, row, strict=False)
        if amount > 0
    ]
    columns = (
        text_column("Currency"),
        *_HEADINGS,
        *(Column("Unapplied cash"), Column("Open credits")),
    )
    cells = [
        [currency.upper(), *(figure(amount, currency) for amount in row)]
        for currency, row in rows.items()
    ]
    return Exhibit(
        name="aging_today",
        title=_title_today(owed),
        table=Table(f"Receivables on {day(scopes[0].as_of)}, by age", columns, cells),
        chart=shares(points, _BUCKETS) if points else None,
        note="Each bar is 100% of a currency: currencies are never added up. " + _NOTE,
    )


def aging(scope: Scope) -> Exhibit:
    """Returns the age of receivables at month ends and today, in one currency."""
    found = {month: amounts for month, *amounts in _by_month(scope)}
    nothing = [Decimal(0)] * len(_COLUMNS)
    rows = {month: found.get(month, nothing) for month in scope.months}
    points = [
        Point(month_key(month), float(amount), bucket.name)
        for month, row in rows.items()
        for bucket, amount in zip(_BUCKETS, row, strict=False)
        if amount > 0
    ]
    cells = [
        [scope.month_words(month), *(figure(amount, scope.currency) for amount in row)]
        for month, row in reversed(rows.items())
    ]
    return Exhibit(
        name="aging",
        title=_title(scope, list(rows.values())),
        table=Table(
            f"Receivables at the end of the month, {scope.code}",
            (text_column("Month"), *_HEADINGS),
            cells,
        ),
        chart=stacked_columns(points, month_labels(scope.months), _BUCKETS) if points else None,
        note=_NOTE,
    )


def _today(scope: Scope) -> list[Decimal]:
    sql = f"select {_SUMS} from invoiced__ar_aging where is_today and currency = %s"  # noqa: S608
    (row,) = scope.session.rows(sql, [scope.currency])
    return [amount or Decimal(0) for amount in row]


def _by_month(scope: Scope) -> Iterable[tuple[date, *tuple[Decimal, ...]]]:
    sums = ", ".join(f"sum({name})" for name in _COLUMNS)
    sql = f"""
        select cast(date_trunc('month', as_of_date) as date), {sums}
        from invoiced__ar_aging where currency = %s
        group by cast(date_trunc('month', as_of_date) as date)
    """  # noqa: S608
    return scope.session.rows(sql, [scope.currency])


def _title_today(owed: dict[str, list[Decimal]]) -> str:
    parts = [
        f"{share(max(row[_OVERDUE], Decimal(0)), row[_TOTAL])} in {currency.upper()}"
        for currency, row in owed.items()
    ]
    if not parts:
        return "Nobody owes anything"
    *most, last = parts
    listed = f"{', '.join(most)} and {last}" if most else last
    return f"Overdue share of receivables: {listed}"


def _title(scope: Scope, rows: Sequence[Sequence[Decimal]]) -> str:
    today = rows[-1]
    if not today[_TOTAL]:
        return f"Nobody owes anything in {scope.code}"
    if today[_OVERDUE] <= 0:
        return f"{money(today[_TOTAL], scope.currency)} is open, and none of it is overdue"
    title = f"{money(today[_OVERDUE], scope.currency)} is overdue"
    change = today[_OVERDUE] - rows[-2][_OVERDUE] if len(rows) > 1 else None
    if change:
        direction = "more" if change > 0 else "less"
        title += f", {money(abs(change), scope.currency)} {direction} than at the end of last month"
    if today[_OVER_90] > 0:
        title += f"; {money(today[_OVER_90], scope.currency)} for more than 90 days"
    return title
