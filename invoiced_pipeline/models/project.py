"""Where the dbt project is: beside this package, in a checkout as in an installation."""

from pathlib import Path

PROJECT = Path(__file__).parents[2] / "dbt_invoiced"
"""The folder of the dbt project."""

NAME = "dbt_invoiced"
"""Its name, which begins the ids of its models."""

END_MODELS = (
    "invoiced__ar_ledger",
    "invoiced__ar_open_items",
    "invoiced__ar_aging",
    "invoiced__ar_kpis_monthly",
    "invoiced__cash_receipts",
    "invoiced__customer_overview",
    "invoiced__mrr_movements",
)
"""The models that people query; the others are steps towards them."""


def models_schema(dataset: str) -> str:
    """Returns the schema of a dataset's models, which is also their asset group."""
    return f"{dataset}_models"
