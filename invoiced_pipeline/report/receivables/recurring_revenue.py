"""Movements of monthly recurring revenue."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from invoiced_pipeline.report.charts import (
    Chart,
    Point,
    Series,
    month_key,
    month_labels,
    stacked_columns,
)
from invoiced_pipeline.report.colours import BLUE, GREEN, LATE_1, PURPLE, VERMILION
from invoiced_pipeline.report.exhibit import Column, Exhibit, Table, text_column
from invoiced_pipeline.report.formats import day, figure, money, number
from invoiced_pipeline.report.receivables.scope import Scope

_MOVEMENTS = (
    (Series("new", BLUE), 1),
    (Series("expansion", GREEN), 1),
    (Series("reactivated", PURPLE), 1),
    (Series("contraction", LATE_1), -1),
    (Series("churn", VERMILION), -1),
)
"""Each movement with its sign, in the order of the model's columns."""

_NOTE = (
    "A subscription counts with the price and quantity it has today in all months from its start "
    "to its end, because its history is not kept: changes of price show no expansion."
)


class _Month(NamedTuple):
    opening: Decimal
    movements: tuple[Decimal, ...]
    closing: Decimal
    retention: Decimal | None


def mrr_movements(scope: Scope) -> Exhibit | None:
    """Returns movements of recurring revenue by month; None without any revenue."""
    found = _read(scope)
    months = {month: found[month] for month in scope.months if month in found}
    if not months:
        return None
    points = [
        Point(month_key(month), sign * float(amount), series.name)
        for month, each in months.items()
        for (series, sign), amount in zip(_MOVEMENTS, each.movements, strict=True)
        if amount
    ]
    headings = (
        *("Opening", "New", "Expansion", "Reactivated", "Contraction", "Churn", "MRR"),
        "Net retention, %",
    )
    return Exhibit(
        name="mrr_movements",
        title=_title(scope, months),
        table=Table(
            f"Monthly recurring revenue, {scope.code}",
            (text_column("Month"), *map(Column, headings)),
            [
                [
                    scope.month_words(month),
                    *(
                        figure(amount, scope.currency)
                        for amount in (each.opening, *each.movements, each.closing)
                    ),
                    number(each.retention),
                ]
                for month, each in reversed(months.items())
            ],
        ),
        chart=_drawn(scope, points),
        note=_NOTE,
    )


def _read(scope: Scope) -> dict[date, _Month]:
    rows = scope.session.rows(
        """
        select month, sum(opening_mrr), sum(new_mrr), sum(expansion_mrr), sum(reactivated_mrr),
            sum(contraction_mrr), sum(churned_mrr), sum(mrr), max(net_revenue_retention)
        from invoiced__mrr_movements where currency = %s group by month order by month
        """,
        [scope.currency],
    )
    return {
        month: _Month(opening, tuple(moved), closing, retention)
        for month, opening, *moved, closing, retention in rows
    }


def _drawn(scope: Scope, points: list[Point]) -> Chart | None:
    series = [each for each, _ in _MOVEMENTS if any(p.series == each.name for p in points)]
    return stacked_columns(points, month_labels(scope.months), series) if points else None


def _title(scope: Scope, months: dict[date, _Month]) -> str:
    month, last = list(months.items())[-1]
    change = last.closing - last.opening
    is_running = month == scope.as_of.replace(day=1)
    when = f"on {day(scope.as_of)}" if is_running else f"at the end of {scope.month_words(month)}"
    title = f"MRR is {money(last.closing, scope.currency)} {when}"
    if not change:
        return f"{title}, as at the end of the month before"
    direction = "more" if change > 0 else "less"
    by = money(abs(change), scope.currency)
    return f"{title}, {by} {direction} than at the end of the month before"
