"""The table `tax_rates`."""

from invoiced_pipeline.catalog.model import Table
from invoiced_pipeline.catalog.shapes import TAX_RATE, VERSION

TAX_RATES = Table(
    name="tax_rates",
    singular="tax_rate",
    description=(
        "Tax rates: taxes of documents, lines and customers; archived ones are included. "
        "One row per ID: the live version, else the newest."
    ),
    path="/tax_rates",
    docs_url="https://developer.invoiced.com/api/tax-rates",
    listing="whole",
    columns=(*TAX_RATE, *VERSION),
    list_params=(("include", "archived,internal_id"),),
    variants=(
        (("archived", "0"),),
        (("archived", "1"),),
    ),
    decides_by=("archived", "internal_id"),
    filters_by_id=False,
)
