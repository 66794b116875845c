"""The table `payments`."""

from invoiced_pipeline.catalog.model import Applied, Balance, ChildTable, Column, ForeignKey, Table
from invoiced_pipeline.catalog.shapes import CREATED_AT, METADATA, SPLIT, SPLIT_JOINS, UPDATED_AT

PAYMENTS = Table(
    name="payments",
    singular="payment",
    description=(
        "Payments: money received, one row per receipt, and credits that were applied. What each "
        "was applied to: payments__applied_to."
    ),
    path="/payments",
    docs_url="https://developer.invoiced.com/api/payments",
    listing="windowed",
    columns=(
        Column("id", "bigint", "Payment ID.", contract=True),
        Column("object", "text", "Always `payment`.", contract=True),
        Column("customer", "bigint", "Customer who paid, null while unassigned.", contract=True),
        Column("date", "timestamp", "When the payment was made (UTC).", contract=True, is_day=True),
        Column("currency", "text", "Lower-case ISO 4217 code of all amounts.", contract=True),
        Column(
            "amount",
            "decimal",
            "Amount received, in major currency units; voided payments keep theirs.",
            contract=True,
        ),
        Column(
            "balance",
            "decimal",
            "Amount not applied yet, in major currency units; the full amount when voided.",
            contract=True,
        ),
        Column(
            "method",
            "text",
            (
                "How it was paid, e.g. `ach`, `cash`, `check`, `credit_card`, `wire_transfer` or "
                "`other`."
            ),
            contract=True,
        ),
        Column(
            "reference",
            "text",
            "Reference such as a check number or the gateway's id.",
            sensitive=True,
            contract=True,
        ),
        Column(
            "source",
            "text",
            (
                "Where it came from: `keyed`, `imported`, `bank_feed`, `check_lockbox`, "
                "`remittance_advice`, `network`, `api`, `autopay`, `charge`, `customer_portal`, "
                "`virtual_terminal` or `accounting_system`."
            ),
            contract=True,
        ),
        Column("notes", "text", "Notes about the payment.", contract=True),
        Column(
            "ach_sender_id", "text", "Sender's ID on an ACH payment.", sensitive=True, contract=True
        ),
        Column(
            "matched",
            "boolean",
            "Whether the payment was matched automatically, null when that was not tried.",
            contract=True,
        ),
        Column("voided", "boolean", "Whether the payment is voided.", contract=True),
        Column(
            "applied_to",
            "json",
            "What the payment was applied to as a JSON array; also rows of the child table.",
            contract=True,
        ),
        Column(
            "charge",
            "json",
            (
                "Charge behind the payment as JSON (card or bank account, refunds), null without "
                "one."
            ),
            sensitive=True,
            contract=True,
        ),
        Column("surcharge_percentage", "decimal", "Card surcharge in percent, 0 without one."),
        Column(
            "bank_feed_transaction_id",
            "bigint",
            "Bank feed transaction that the payment came from.",
        ),
        Column(
            "bank_feed_transaction",
            "bigint",
            "The same ID as bank_feed_transaction_id: use either.",
            twin="bank_feed_transaction_id",
        ),
        Column(
            "pdf_url",
            "text",
            "Link to the receipt as PDF, null unless the payment is fully applied.",
            contract=True,
        ),
        METADATA,
        CREATED_AT,
        UPDATED_AT,
    ),
    children=(
        ChildTable(
            "applied_to",
            "One row per document or credit that the payment was applied to.",
            SPLIT,
            SPLIT_JOINS,
        ),
    ),
    foreign_keys=(ForeignKey("customer", "customers", cascades=True),),
    balance=Balance(
        column="balance",
        total="amount",
        where="not voided",
        applied=(
            Applied(
                table="payments__applied_to",
                key="payment_id",
                # The other types use credit, not the payment's own money.
                where="type in ('invoice', 'estimate', 'credit', 'convenience_fee')",
            ),
        ),
    ),
    list_params=(("include", "applied_to"),),
)
