"""What the exhibits of one currency are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from invoiced_pipeline.warehouse.database import Session

MONTHS = 13
"""A year and the month that runs, so that a month can be compared with that of the year before."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One currency of the models; amounts of different currencies are never added.

    Attributes:
        session: Over the models' schema.
        currency: The currency's code, as the models have it.
        as_of: The last day that the models describe.
        months: First days of the months to show, oldest first; the last one may still run.
    """

    session: Session
    currency: str
    as_of: date
    months: Sequence[date]

    @property
    def code(self) -> str:
        """The currency's code, as people write it."""
        return self.currency.upper()

    def month_words(self, month: date) -> str:
        """Returns a month's name, and up to which day it counts if it is not over."""
        is_running = month == self.as_of.replace(day=1)
        return f"{month:%b %Y}" + (f" (to {self.as_of.day})" if is_running else "")


def as_of(session: Session, today: date) -> date:
    """Returns the last day that the models describe; `today` if they are empty."""
    ((found,),) = session.rows("select max(as_of_date) from invoiced__ar_kpis_monthly")
    return found or today


def scopes(session: Session, last_day: date) -> list[Scope]:
    """Returns all currencies, the one with the most invoices first.

    Args:
        session: Over the models' schema.
        last_day: The last day that the models describe.
    """
    found = session.rows(
        """
        select currency, sum(invoices), min(month) from (
            select currency, cast(date_trunc('month', movement_date) as date) as month,
                case when movement_type = 'invoice' then 1 else 0 end as invoices
            from invoiced__ar_ledger where movement_type <> 'void'
            union all
            select currency, month, 0 from invoiced__mrr_movements
        ) as used
        where currency is not null
        group by currency order by sum(invoices) desc, currency
        """
    )
    return [
        Scope(session, currency, last_day, _months(first, last_day)) for currency, _, first in found
    ]


def _months(first: date, last_day: date) -> list[date]:
    """Returns the last months up to that of `last_day`; none before `first`."""
    number = last_day.year * 12 + last_day.month - 1
    months = [date(each // 12, each % 12 + 1, 1) for each in range(number - MONTHS + 1, number + 1)]
    return [each for each in months if each >= first] or months[-1:]
