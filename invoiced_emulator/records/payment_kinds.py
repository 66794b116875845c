"""Kinds of record for payment sources, charges, refunds and payment plans."""

from invoiced_emulator.records.kind import ObjectKind, fields, names

_SOURCE_NUMBERS = "id customer_id merchant_account"
_SOURCE_TEXTS = "gateway gateway_id gateway_customer failure_reason receipt_email last4 currency"

PAYMENT_KINDS = (
    ObjectKind(
        collection="cards",
        object="card",
        title="Card",
        event="payment_source",
        fields=fields(
            number=f"{_SOURCE_NUMBERS} exp_month exp_year",
            boolean="chargeable",
            text=f"{_SOURCE_TEXTS} brand funding",
        ),
        listed=False,
        retrieved=False,
        relations={"customer": "customers"},
    ),
    ObjectKind(
        collection="bank_accounts",
        object="bank_account",
        title="Bank Account",
        event="payment_source",
        fields=fields(
            number=_SOURCE_NUMBERS,
            boolean="chargeable verified",
            text=f"{_SOURCE_TEXTS} bank_name country routing_number",
        ),
        listed=False,
        retrieved=False,
        relations={"customer": "customers"},
    ),
    ObjectKind(
        collection="charges",
        object="charge",
        title="Charge",
        event="charge",
        fields=fields(
            number="id customer customer_id amount amount_refunded payment payment_id",
            boolean="disputed refunded",
            text="currency gateway gateway_id status",
        ),
        strict=True,
        relations={"customer": "customers", "payment": "payments"},
    ),
    ObjectKind(
        collection="refunds",
        object="refund",
        title="Refund",
        event="refund",
        fields=fields(
            number="id amount charge charge_id", text="currency gateway gateway_id status"
        ),
        strict=True,
        relations={"charge": "charges"},
    ),
    ObjectKind(
        collection="payment_plans",
        object="payment_plan",
        title="Payment Plan",
        event="payment_plan",
        hidden=names("invoice"),
        listed=False,
        retrieved=False,
        relations={"invoice": "invoices"},
    ),
)
