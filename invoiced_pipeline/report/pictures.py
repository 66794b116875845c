"""The report's pictures of single models, for their metadata in Dagster's UI."""

import base64
from collections.abc import Callable, Mapping
from datetime import date

from invoiced_pipeline.models.project import models_schema
from invoiced_pipeline.report import images
from invoiced_pipeline.report.exhibit import Exhibit
from invoiced_pipeline.report.receivables.aging import aging
from invoiced_pipeline.report.receivables.cash import cash_by_method
from invoiced_pipeline.report.receivables.collection import (
    collection_effectiveness,
    days_to_collect,
)
from invoiced_pipeline.report.receivables.expected_cash import expected_cash
from invoiced_pipeline.report.receivables.overdue import overdue_customers
from invoiced_pipeline.report.receivables.recurring_revenue import mrr_movements
from invoiced_pipeline.report.receivables.scope import Scope, as_of, scopes
from invoiced_pipeline.warehouse.database import Database

_EXHIBITS: Mapping[str, tuple[Callable[[Scope], Exhibit | None], ...]] = {
    "invoiced__ar_open_items": (expected_cash,),
    "invoiced__ar_aging": (aging,),
    "invoiced__ar_kpis_monthly": (days_to_collect, collection_effectiveness),
    "invoiced__cash_receipts": (cash_by_method,),
    "invoiced__customer_overview": (overdue_customers,),
    "invoiced__mrr_movements": (mrr_movements,),
}
"""The exhibits that show each model's rows; the ledger's show in all others."""


def model_pictures(database: Database, dataset: str, today: date) -> dict[str, str]:
    """Returns Markdown with the pictures of each model, in the currency with the most invoices.

    Args:
        database: The warehouse; all models are built.
        dataset: The schema of the tables.
        today: Used if the models are empty.

    Raises:
        WarehouseError: The models cannot be read.
    """
    with database.session(models_schema(dataset), read_only=True) as session:
        found = scopes(session, as_of(session, today))
        if not found:
            return {}
        exhibits = {name: [make(found[0]) for make in made] for name, made in _EXHIBITS.items()}
    pictures = {
        name: [_markdown(each) for each in made if each is not None and each.chart is not None]
        for name, made in exhibits.items()
    }
    return {name: "\n\n".join(each) for name, each in pictures.items() if each}


def _markdown(exhibit: Exhibit) -> str:
    assert exhibit.chart is not None  # noqa: S101 - only such exhibits are drawn
    data = base64.b64encode(images.png(exhibit.chart, exhibit.title)).decode()
    return f"![{exhibit.name}](data:image/png;base64,{data})"
