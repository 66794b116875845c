"""The customers who owe the most that is overdue."""

from decimal import Decimal

from invoiced_pipeline.report.charts import Point, bars
from invoiced_pipeline.report.colours import VERMILION
from invoiced_pipeline.report.exhibit import Column, Exhibit, Table, text_column
from invoiced_pipeline.report.formats import day, figure, money, number, share
from invoiced_pipeline.report.receivables.scope import Scope

LARGEST = 10


def overdue_customers(scope: Scope) -> Exhibit:
    """Returns the ten customers with the most overdue."""
    rows = scope.session.rows(
        """
        select customer_id, customer_name, customer_number, overdue, open_amount, average_days_late,
            last_payment_date
        from invoiced__customer_overview where currency = %s and overdue > 0
        order by overdue desc, customer_id
        """,
        [scope.currency],
    )
    shown = rows[:LARGEST]
    names = {row[0]: row[1] or f"customer {row[0]}" for row in shown}
    # Two customers may have the same name, and each needs a bar of its own.
    unique = {
        key: name if list(names.values()).count(name) == 1 else f"{name} ({key})"
        for key, name in names.items()
    }
    points = [
        Point(unique[row[0]], float(row[3]), text=figure(row[3], scope.currency)) for row in shown
    ]
    columns = (
        *map(text_column, ("Customer", "Number", "Last payment")),
        *map(Column, ("Overdue", "Open", "Days late on average")),
    )
    return Exhibit(
        name="overdue_customers",
        title=_title(scope, [(row[1] or names[row[0]], row[3]) for row in shown], rows),
        table=Table(
            f"Customers with the most overdue, {scope.code}",
            columns,
            [
                [
                    names[key],
                    code or "",
                    day(paid),
                    figure(overdue, scope.currency),
                    figure(open_amount, scope.currency),
                    number(late),
                ]
                for key, _, code, overdue, open_amount, late, paid in shown
            ],
        ),
        chart=bars(points, VERMILION) if points else None,
        note="Days late on average: of all their payments, weighted by amount; below zero if they "
        "pay early.",
    )


def _title(scope: Scope, largest: list[tuple[str, Decimal]], rows: list[tuple]) -> str:
    if not largest:
        return f"No customer is overdue in {scope.code}"
    total = sum((row[3] for row in rows), Decimal(0))
    name, amount = largest[0]
    if len(rows) == 1:
        return f"{name} is the only customer overdue, with {money(amount, scope.currency)}"
    of_all = share(sum((each for _, each in largest), Decimal(0)), total)
    title = f"{name} owes the most: {money(amount, scope.currency)} overdue"
    if len(rows) > len(largest):
        title += f"; these {len(largest)} of {len(rows)} customers owe {of_all} of it"
    return title
