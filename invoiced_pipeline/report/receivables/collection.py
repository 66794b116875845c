"""How long customers take to pay (DSO), and how much of what was due came in."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from invoiced_pipeline.report.charts import (
    Chart,
    Point,
    Series,
    lines,
    month_key,
    month_labels,
)
from invoiced_pipeline.report.colours import BLUE, GREEN, GREY
from invoiced_pipeline.report.exhibit import Column, Exhibit, Table, text_column
from invoiced_pipeline.report.formats import figure, number, one_decimal
from invoiced_pipeline.report.receivables.scope import Scope

_DSO = Series("DSO", BLUE)
_BEST = Series("if nobody paid late", GREY)
_EFFECTIVENESS = Series("collection effectiveness", GREEN)

_DSO_NOTE = (
    "DSO (days sales outstanding) is what is open at the end of the period, divided by what was "
    "billed in it, times its days. If nobody paid late: the same without overdue invoices. The "
    "picture shows periods of three months, because one large invoice moves a single month."
)
_EFFECTIVENESS_NOTE = (
    "Collection effectiveness is what was collected of what could be: opening receivables and "
    "billing, less what is open at the end, divided by the same less what is not due at the end. "
    "The picture shows periods of three months."
)


class _Month(NamedTuple):
    month: date
    billed: Decimal
    collected: Decimal
    closing: Decimal
    dso: Decimal | None
    best: Decimal | None
    dso_3m: Decimal | None
    best_3m: Decimal | None
    effectiveness: Decimal | None
    effectiveness_3m: Decimal | None


def days_to_collect(scope: Scope) -> Exhibit:
    """Returns days sales outstanding by month."""
    months = _read(scope)
    dso = [_point(each.month, each.dso_3m, "days") for each in months]
    best = [_point(each.month, each.best_3m, "days") for each in months]
    points = [
        Point(point.key, point.value, series.name, point.text)
        for series, found in ((_DSO, dso), (_BEST, best))
        for point in found
        if point
    ]
    return Exhibit(
        name="dso",
        title=_dso_title(scope, months),
        table=Table(
            f"Days sales outstanding by month; amounts in {scope.code}",
            (
                text_column("Month"),
                *map(Column, ("Billed", "Receivables", "DSO", "If nobody paid late")),
                *map(Column, ("DSO, 3 months", "If nobody paid late, 3 months")),
            ),
            [
                [
                    scope.month_words(each.month),
                    figure(each.billed, scope.currency),
                    figure(each.closing, scope.currency),
                    *map(number, (each.dso, each.best, each.dso_3m, each.best_3m)),
                ]
                for each in reversed(months)
            ],
        ),
        chart=_drawn(scope, points, (_DSO, _BEST)),
        note=_DSO_NOTE,
    )


def collection_effectiveness(scope: Scope) -> Exhibit:
    """Returns the collection effectiveness index by month."""
    months = _read(scope)
    found = [_point(each.month, each.effectiveness_3m, "%") for each in months]
    points = [
        Point(point.key, point.value, _EFFECTIVENESS.name, point.text) for point in found if point
    ]
    return Exhibit(
        name="collection_effectiveness",
        title=_effectiveness_title(scope, months),
        table=Table(
            f"Collection effectiveness by month; amounts in {scope.code}",
            (
                text_column("Month"),
                *map(Column, ("Billed", "Collected", "Effectiveness, %", "3 months, %")),
            ),
            [
                [
                    scope.month_words(each.month),
                    figure(each.billed, scope.currency),
                    figure(each.collected, scope.currency),
                    number(each.effectiveness),
                    number(each.effectiveness_3m),
                ]
                for each in reversed(months)
            ],
        ),
        chart=_drawn(scope, points, (_EFFECTIVENESS,)),
        note=_EFFECTIVENESS_NOTE,
    )


def _read(scope: Scope) -> list[_Month]:
    rows = scope.session.rows(
        """
        select month, billed, collected, closing, dso, best_possible_dso, dso_3m,
            best_possible_dso_3m, collection_effectiveness, collection_effectiveness_3m
        from invoiced__ar_kpis_monthly where currency = %s and month >= %s order by month
        """,
        [scope.currency, scope.months[0]],
    )
    return [_Month(*row) for row in rows]


def _point(month: date, value: Decimal | None, unit: str) -> Point | None:
    if value is None:
        return None
    text = f"{one_decimal(value)}{'' if unit == '%' else ' '}{unit}"
    return Point(month_key(month), float(value), text=text)


def _drawn(scope: Scope, points: list[Point], series: tuple[Series, ...]) -> Chart | None:
    return lines(points, month_labels(scope.months), series) if len(points) > 1 else None


def _dso_title(scope: Scope, months: list[_Month]) -> str:
    last = months[-1] if months else None
    if last is None or last.dso_3m is None:
        return f"DSO needs three months with invoices in {scope.code}"
    title = f"Customers pay after {one_decimal(last.dso_3m)} days (DSO of the last three months)"
    before = months[-4].dso_3m if len(months) > 3 else None
    if before is None:
        return title
    change = last.dso_3m - before
    direction = "more" if change >= 0 else "fewer"
    return f"{title}, {one_decimal(abs(change))} {direction} than three months before"


def _effectiveness_title(scope: Scope, months: list[_Month]) -> str:
    last = months[-1] if months else None
    if last is None or last.effectiveness_3m is None:
        return f"Collection effectiveness needs three months with something due in {scope.code}"
    return f"{one_decimal(last.effectiveness_3m)}% of what was due in the last three months came in"
