"""Every kind of record as data: names, hidden fields, filters and relations."""

from collections.abc import Mapping

from invoiced_emulator.records.activity_kinds import ACTIVITY_KINDS
from invoiced_emulator.records.catalog_kinds import CATALOG_KINDS
from invoiced_emulator.records.kind import FieldType, ObjectKind, fields, names
from invoiced_emulator.records.payment_kinds import PAYMENT_KINDS

__all__ = ["COLLECTION_OF", "KINDS", "FieldType", "ObjectKind"]

_NEGATED_AMOUNT: dict[str, FieldType] = {"amount": "negated"}
_KINDS = (
    ObjectKind(
        collection="customers",
        object="customer",
        title="Customer",
        event="customer",
        hidden=names(
            "credit_balance aging collection_mode default_source_id default_source_type address "
            "disabled_payment_methods"
        ),
        fields=fields(
            number="id autopay_delay_days chasing_cadence chasing_cadence_id credit_balance "
            "credit_limit late_fee_schedule late_fee_schedule_id network_connection "
            "network_connection_id next_chase_step next_chase_step_id owner owner_id "
            "parent_customer",
            boolean="active autopay bill_to_parent chase consolidated convenience_fee credit_hold "
            "surcharging taxable",
            text="address1 address2 attention_to avalara_entity_use_code avalara_exemption_number "
            "city country currency default_source_type email language name number payment_terms "
            "phone postal_code state tax_id type",
        ),
        query_builder=True,
        strict=True,
        honours_updated=True,
        metadata=True,
        relations={"parent_customer": "customers"},
    ),
    ObjectKind(
        collection="invoices",
        object="invoice",
        title="Invoice",
        event="invoice",
        hidden=names(
            "amount_paid amount_credited amount_written_off date_paid date_bad_debt date_voided "
            "last_sent voided sent viewed consolidated consolidated_invoice_id collection_mode "
            "tags disabled_payment_methods expected_payment_date age past_due_age attachments"
        ),
        fields=fields(
            number="id customer amount_credited amount_paid amount_written_off attempt_count "
            "balance subscription subscription_id subtotal total",
            boolean="autopay closed consolidated draft late_fees needs_attention paid sent viewed "
            "voided",
            text="currency name number payment_terms purchase_order status",
            date="date date_bad_debt date_paid date_voided due_date next_payment_attempt",
        ),
        query_builder=True,
        honours_updated=True,
        dated=True,
        metadata=True,
        relations={"customer": "customers", "subscription": "subscriptions"},
    ),
    ObjectKind(
        collection="credit_notes",
        object="credit_note",
        title="Credit Note",
        event="credit_note",
        hidden=names(
            "amount_applied_to_invoice amount_credited amount_refunded voided sent viewed "
            "date_voided attachments"
        ),
        fields=fields(
            number="id customer amount_applied_to_invoice amount_credited balance subtotal total",
            boolean="closed draft paid sent viewed voided",
            text="currency name number purchase_order status",
            date="date date_voided",
        ),
        query_builder=True,
        honours_updated=True,
        dated=True,
        metadata=True,
        relations={"customer": "customers", "invoice": "invoices"},
    ),
    ObjectKind(
        collection="estimates",
        object="estimate",
        title="Estimate",
        event="estimate",
        hidden=names("voided sent viewed date_voided last_sent attachments"),
        fields=fields(
            number="customer deposit invoice invoice_id subtotal total",
            boolean="closed deposit_paid draft sent viewed voided",
            text="approved currency name number payment_terms purchase_order status",
            date="date date_voided expiration_date",
        ),
        query_builder=True,
        honours_updated=True,
        dated=True,
        metadata=True,
        relations={"customer": "customers", "invoice": "invoices"},
    ),
    ObjectKind(
        collection="subscriptions",
        object="subscription",
        title="Subscription",
        event="subscription",
        hidden=names("canceled finished pending_renewal prorate num_invoices plan_id"),
        fields=fields(
            number="id customer bill_in_advance_days contract_renewal_cycles cycles mrr plan_id "
            "quantity recurring_total snap_to_nth_day",
            boolean="cancel_at_period_end canceled finished paused pending_renewal",
            text="bill_in canceled_reason contract_renewal_mode plan status",
            date="canceled_at contract_period_end contract_period_start period_end period_start "
            "renewed_last renews_next start_date",
        ),
        query_builder=True,
        honours_updated=True,
        metadata=True,
        feature="subscription_billing",
        relations={"customer": "customers", "plan": "plans"},
    ),
    ObjectKind(
        collection="transactions",
        object="transaction",
        title="Transaction",
        event="transaction",
        hidden=names("sent children invoice_number document_number"),
        fields=fields(
            number="id customer amount credit_note credit_note_id estimate estimate_id invoice "
            "payment payment_id",
            boolean="sent",
            text="currency failure_reason gateway gateway_id method status type",
            date="date",
        ),
        query_builder=True,
        honours_updated=True,
        dated=True,
        metadata=True,
        relations={
            "customer": "customers",
            "invoice": "invoices",
            "credit_note": "credit_notes",
            "estimate": "estimates",
            "payment": "payments",
            "parent_transaction": "transactions",
        },
    ),
    ObjectKind(
        collection="payments",
        object="payment",
        title="Payment",
        event="payment",
        hidden=names("applied_to applied date_voided external_id payee attachments"),
        fields=fields(
            number="id customer amount balance",
            boolean="applied matched voided",
            text="currency method reference source",
            date="date date_voided",
        ),
        query_builder=True,
        strict=True,
        honours_updated=True,
        dated=True,
        metadata=True,
        relations={"customer": "customers"},
    ),
    ObjectKind(
        collection="credit_balance_adjustments",
        object="credit_balance_adjustment",
        title="Credit Balance Adjustment",
        event="transaction",
        hidden=names("updated_at metadata"),
        fields=fields(number="id customer", text="currency notes", date="date") | _NEGATED_AMOUNT,
        relations={"customer": "customers"},
    ),
    ObjectKind(
        collection="contacts",
        object="contact",
        title="Contact",
        listed=False,
        retrieved=False,
        event="contact",
        fields=fields(
            number="id customer customer_id role role_id",
            boolean="primary sms_enabled send_new_invoices",
            text="name email title department phone address1 address2 city state postal_code "
            "country",
        ),
        relations={"customer": "customers"},
    ),
    ObjectKind(
        collection="tasks",
        object=None,
        title="Task",
        event="task",
        fields=fields(
            number="id customer customer_id user_id completed_by_user_id chase_step_id bill_id "
            "vendor_credit_id",
            boolean="complete",
            text="name action",
            date="due_date completed_date",
        ),
        relations={"customer": "customers"},
    ),
    ObjectKind(
        collection="events",
        object="event",
        title="Event",
        hidden=names("user message href user_id source"),
        fields=fields(number="user_id", text="type", date="timestamp", stamp=False),
        descending=True,
    ),
    *CATALOG_KINDS,
    *PAYMENT_KINDS,
    *ACTIVITY_KINDS,
)

KINDS: Mapping[str, ObjectKind] = {kind.collection: kind for kind in _KINDS}
"""Every kind of record, by collection."""

COLLECTION_OF: Mapping[str, str] = {
    kind.object: kind.collection for kind in _KINDS if kind.object is not None
} | {"task": "tasks"}
"""Collections by the value of a record's `object` field."""
