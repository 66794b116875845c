"""Money received, by method of payment and month."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from invoiced_pipeline.report.charts import (
    Chart,
    Point,
    Series,
    month_key,
    month_labels,
    stacked_columns,
)
from invoiced_pipeline.report.colours import BLUE, GREEN, GREY, PURPLE, VERMILION
from invoiced_pipeline.report.exhibit import Column, Exhibit, Table, text_column
from invoiced_pipeline.report.formats import figure, money, share
from invoiced_pipeline.report.receivables.scope import Scope

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
_OTHERS = Series("all others", GREY)

_ACRONYMS = {"ach": "ACH", "eft": "EFT", "paypal": "PayPal", "other": "other means"}

_Amounts = dict[date, Decimal]


def cash_by_method(scope: Scope) -> Exhibit | None:
    """Returns money received by method and month; None if none came in."""
    received, refunded = _read(scope)
    if not received:
        return None
    methods = sorted(received, key=lambda name: -sum(received[name].values()))
    totals = {
        month: sum((received[name].get(month, Decimal(0)) for name in methods), Decimal(0))
        for month in scope.months
    }
    return Exhibit(
        name="cash_by_method",
        title=_title(scope, received, totals),
        table=Table(
            f"Money received by month, {scope.code}",
            (
                text_column("Month"),
                *(Column(method_words(name)) for name in methods),
                *(Column("Received"), Column("Refunded")),
            ),
            [
                [
                    scope.month_words(month),
                    *(
                        figure(amounts.get(month, Decimal(0)), scope.currency)
                        for amounts in (*(received[name] for name in methods), totals, refunded)
                    ),
                ]
                for month in reversed(scope.months)
            ],
        ),
        chart=_drawn(scope, received, methods),
        note="By the day of the payment, applied or not. Refunds are not taken off.",
    )


def method_words(name: str) -> str:
    """Returns a method of payment in words: `wire transfer`, `ACH`."""
    return _ACRONYMS.get(name, name.replace("_", " "))


def _read(scope: Scope) -> tuple[dict[str, _Amounts], _Amounts]:
    """Returns money received by method and month, and refunds by month."""
    rows = scope.session.rows(
        """
        select coalesce(method, 'unknown'), cast(date_trunc('month', receipt_date) as date),
            sum(case when applied_to <> 'refund' then amount else 0 end),
            sum(case when applied_to = 'refund' then -amount else 0 end)
        from invoiced__cash_receipts
        where currency = %s and status = 'succeeded' and receipt_date >= %s
        group by coalesce(method, 'unknown'), cast(date_trunc('month', receipt_date) as date)
        """,
        [scope.currency, scope.months[0]],
    )
    received: dict[str, _Amounts] = defaultdict(dict)
    refunded: _Amounts = defaultdict(Decimal)
    for method, month, amount, refund in rows:
        if amount:
            received[method][month] = amount
        refunded[month] += refund
    return received, refunded


def _drawn(scope: Scope, received: dict[str, _Amounts], methods: list[str]) -> Chart | None:
    """Draws the methods with the most money in colours of their own, and the others together."""
    is_one_left = len(methods) == len(_COLOURS) + 1
    named = methods[: len(_COLOURS) + is_one_left]
    colours = (*_COLOURS, GREY)
    series = [
        Series(method_words(name), colour) for name, colour in zip(named, colours, strict=False)
    ]
    if len(named) < len(methods):
        series.append(_OTHERS)
    points = []
    for month in scope.months:
        amounts = [received[each].get(month, Decimal(0)) for each in methods]
        others = sum(amounts[len(named) :], Decimal(0))
        points += [
            Point(month_key(month), float(amount), each.name)
            for each, amount in zip(series, [*amounts[: len(named)], others], strict=False)
            if amount > 0
        ]
    return stacked_columns(points, month_labels(scope.months), series) if points else None


def _title(scope: Scope, received: dict[str, _Amounts], totals: _Amounts) -> str:
    """Describes the last month that is over, if there is one."""
    month = scope.months[-2] if len(scope.months) > 1 else scope.months[-1]
    total = totals[month]
    if total <= 0:
        return f"Nothing was received in {scope.code} in {scope.month_words(month)}"
    amounts = {name: each.get(month, Decimal(0)) for name, each in received.items()}
    most = max(amounts, key=lambda name: amounts[name])
    return (
        f"{money(total, scope.currency)} was received in {scope.month_words(month)}, "
        f"{share(amounts[most], total)} of it by {method_words(most)}"
    )
