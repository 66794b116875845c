"""The table `payment_sources`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Parent, Table
from invoiced_pipeline.catalog.shapes import CREATED_AT, UPDATED_AT

PAYMENT_SOURCES = Table(
    name="payment_sources",
    singular="payment_source",
    objects=("card", "bank_account"),
    description=(
        "Payment sources: cards and bank accounts that customers saved, with the last four digits "
        "only. Removed ones stay, with chargeable = false. Optional."
    ),
    path="/customers/{customer_id}/payment_sources",
    docs_url="https://developer.invoiced.com/api/payment-sources",
    listing="per_parent",
    parent=Parent(
        table="customers",
        column="customer_id",
        response="one_page",
        key_fields=("object", "id"),
    ),
    primary_key="source_key",
    columns=(
        Column(
            "source_key",
            "text",
            "`object` and `id`, such as `card:850`: two kinds of source may share an ID.",
        ),
        Column("id", "bigint", "ID of the card or bank account, unique within its kind."),
        Column("object", "text", "`card` or `bank_account`."),
        Column("customer_id", "bigint", "Customer who saved it."),
        Column("chargeable", "boolean", "Whether it can be charged; false once it was removed."),
        Column("brand", "text", "Brand of the card, e.g. `Visa`; null for bank accounts."),
        Column("last4", "text", "Last four digits of the number.", sensitive=True),
        Column("exp_month", "bigint", "Month in which the card expires, from 1."),
        Column("exp_year", "bigint", "Year in which the card expires."),
        Column("funding", "text", "Kind of card: `credit`, `debit`, `prepaid` or `unknown`."),
        Column("issuing_country", "text", "Two-letter code of the country that issued the card."),
        Column("bank_name", "text", "Name of the bank; null for cards.", sensitive=True),
        Column("routing_number", "text", "Routing number of the bank.", sensitive=True),
        Column("verified", "boolean", "Whether the bank account is verified; null for cards."),
        Column("country", "text", "Two-letter country code of the bank account."),
        Column("currency", "text", "Lower-case ISO 4217 code of the bank account."),
        Column("account_holder_name", "text", "Holder of the bank account.", sensitive=True),
        Column("account_holder_type", "text", "`company` or `individual`."),
        Column("type", "text", "Kind of bank account, e.g. `checking`."),
        Column("gateway", "text", "Payment gateway that keeps the number."),
        Column("gateway_id", "text", "ID at the gateway.", sensitive=True),
        Column("gateway_customer", "text", "ID of the customer at the gateway.", sensitive=True),
        Column("gateway_setup_intent", "text", "ID of the set-up at the gateway.", sensitive=True),
        Column("merchant_account", "bigint", "Merchant account of the gateway."),
        Column("failure_reason", "text", "Why the last charge failed."),
        Column("receipt_email", "text", "Address that receipts are sent to.", sensitive=True),
        CREATED_AT,
        UPDATED_AT,
    ),
    foreign_keys=(ForeignKey("customer_id", "customers", cascades=True),),
    list_params=(("include_hidden", "1"),),
    filters_by_id=False,
)
