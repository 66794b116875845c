"""The kinds of objects in the ledger, and which of their fields the API hides by default."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A collection of records of one kind."""

    name: str
    """The object's name in events, e.g. `invoice` in `invoice.created`."""
    collection: str
    first_id: int
    hidden: frozenset[str] = frozenset()
    """Fields that a record holds but that answers and events show on request only."""


_DOCUMENT_HIDDEN = frozenset({"voided", "sent", "viewed", "date_voided"})

CUSTOMER = Kind(
    "customer",
    "customers",
    15_000,
    frozenset(
        {
            "credit_balance",
            "aging",
            "collection_mode",
            "disabled_payment_methods",
            "default_source_id",
            "default_source_type",
            "address",
        }
    ),
)
INVOICE = Kind(
    "invoice",
    "invoices",
    46_000,
    _DOCUMENT_HIDDEN
    | {
        "amount_paid",
        "amount_credited",
        "amount_written_off",
        "date_paid",
        "date_bad_debt",
        "last_sent",
        "consolidated",
        "consolidated_invoice_id",
        "collection_mode",
        "tags",
        "disabled_payment_methods",
        "expected_payment_date",
        "age",
        "past_due_age",
    },
)
CREDIT_NOTE = Kind(
    "credit_note",
    "credit_notes",
    2_000,
    _DOCUMENT_HIDDEN | {"amount_applied_to_invoice", "amount_credited", "amount_refunded"},
)
ESTIMATE = Kind("estimate", "estimates", 8_000, _DOCUMENT_HIDDEN | {"last_sent"})
SUBSCRIPTION = Kind(
    "subscription",
    "subscriptions",
    590,
    frozenset({"canceled", "finished", "pending_renewal", "prorate", "num_invoices", "plan_id"}),
)
PAYMENT = Kind(
    "payment",
    "payments",
    32_000,
    # applied_to is hidden in lists but part of a payment's events.
    frozenset({"applied", "date_voided", "external_id", "payee"}),
)
TRANSACTION = Kind(
    "transaction",
    "transactions",
    70_000,
    frozenset({"sent", "children", "invoice_number", "document_number"}),
)
CREDIT_BALANCE_ADJUSTMENT = Kind(
    # The feed knows adjustments as transactions; only `object` in the snapshot tells them apart.
    "transaction",
    "credit_balance_adjustments",
    70_000,
    frozenset({"updated_at", "metadata"}),
)
CONTACT = Kind("contact", "contacts", 10_400)
TASK = Kind("task", "tasks", 780)
