"""The table `coupons`."""

from invoiced_pipeline.catalog.model import Table
from invoiced_pipeline.catalog.shapes import COUPON, VERSION

COUPONS = Table(
    name="coupons",
    singular="coupon",
    description=(
        "Coupons: discounts of documents and subscriptions; archived ones are included. "
        "One row per ID: the live version, else the newest."
    ),
    path="/coupons",
    docs_url="https://developer.invoiced.com/api/coupons",
    listing="whole",
    columns=(*COUPON, *VERSION),
    list_params=(("include", "archived,internal_id"),),
    variants=(
        (("archived", "0"),),
        (("archived", "1"),),
    ),
    decides_by=("archived", "internal_id"),
    filters_by_id=False,
)
