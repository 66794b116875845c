"""Queries that every finance team needs: receivables aging, open balances, recurring revenue."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from invoiced_pipeline.warehouse.database import Database


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of a query, as a table with a title."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


_OPEN = """
    invoices._deleted_at is null and not draft
    and status not in ('voided', 'paid', 'bad_debt') and balance > 0
"""

_AGING = f"""
    with open_invoices as (
        select currency, balance, cast(%s as date) - cast(due_date as date) as days_late
        from invoices where {_OPEN}
    )
    select
        currency,
        count(*),
        sum(balance) filter (where days_late is null or days_late <= 0),
        sum(balance) filter (where days_late between 1 and 30),
        sum(balance) filter (where days_late between 31 and 60),
        sum(balance) filter (where days_late between 61 and 90),
        sum(balance) filter (where days_late > 90)
    from open_invoices group by currency order by count(*) desc
"""  # noqa: S608 - made of constants

_LARGEST = f"""
    with open_invoices as (select customer, currency, balance from invoices where {_OPEN}),
    main as (
        select currency from open_invoices
        group by currency order by count(*) desc, currency limit 1
    )
    select
        coalesce(customers.name, 'customer ' || open_invoices.customer),
        open_invoices.currency,
        count(*),
        sum(open_invoices.balance)
    from open_invoices
    join main on main.currency = open_invoices.currency
    left join customers on customers.id = open_invoices.customer
    group by coalesce(customers.name, 'customer ' || open_invoices.customer), open_invoices.currency
    order by sum(open_invoices.balance) desc limit 5
"""  # noqa: S608 - made of constants

_RECURRING = """
    select coalesce(plans.currency, 'unknown'), count(*), sum(subscriptions.mrr)
    from subscriptions left join plans on plans.id = subscriptions.plan
    where subscriptions._deleted_at is null
        and subscriptions.status in ('active', 'past_due', 'pending_renewal')
    group by coalesce(plans.currency, 'unknown') order by count(*) desc
"""


def run_sample_queries(database: Database, dataset: str, now: datetime) -> list[QueryResult]:
    """Returns aging, the largest open balances, and monthly recurring revenue.

    A query is skipped if a table that it needs is not replicated.

    Args:
        database: The warehouse.
        dataset: The schema.
        now: The instant (UTC) up to which days late are counted.

    Raises:
        WarehouseError: The dataset cannot be read.
    """
    with database.session(dataset, read_only=True) as session:

        def result_of(title: str, columns: tuple[str, ...], sql: str, *values: Any) -> QueryResult:
            return QueryResult(title, columns, session.rows(sql, values))

        existing = session.tables()
        found: list[QueryResult] = []
        if not existing or "invoices" in existing:  # without a dataset, the query's error says so
            buckets = ("not due", "1-30 days", "31-60", "61-90", "over 90")
            columns = ("currency", "invoices", *buckets)
            found.append(result_of("Receivables aging", columns, _AGING, now))
        if {"invoices", "customers"} <= existing:
            columns = ("customer", "currency", "invoices", "open")
            found.append(result_of("Largest open balances", columns, _LARGEST))
        if {"subscriptions", "plans"} <= existing:
            columns = ("currency", "subscriptions", "mrr")
            found.append(result_of("Monthly recurring revenue", columns, _RECURRING))
        return found
