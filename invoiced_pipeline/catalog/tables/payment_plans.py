"""The table `payment_plans`."""

from invoiced_pipeline.catalog.model import ChildTable, Column, ForeignKey, Parent, Table
from invoiced_pipeline.catalog.shapes import CREATED_AT, UPDATED_AT

INSTALLMENT = (
    Column("id", "bigint", "Installment ID."),
    Column("date", "timestamp", "When the installment is due (UTC).", is_day=True),
    Column("amount", "decimal", "Amount due, in major currency units."),
    Column("balance", "decimal", "Amount still owed, in major currency units."),
)

PAYMENT_PLANS = Table(
    name="payment_plans",
    singular="payment_plan",
    description="Payment plans: invoices that are paid in installments. Optional.",
    path="/invoices/{invoice_id}/payment_plan",
    docs_url="https://developer.invoiced.com/api/payment-plans",
    listing="per_parent",
    parent=Parent(
        table="invoices",
        column="invoice_id",
        response="record",
        holder="payment_plan",
        holder_params=(("payment_plan", "1"),),
    ),
    columns=(
        Column("id", "bigint", "Payment plan ID, the same as invoices.payment_plan."),
        Column("object", "text", "Always `payment_plan`."),
        Column("invoice_id", "bigint", "Invoice that is paid in installments."),
        Column("status", "text", "State of the plan, e.g. `active`."),
        Column(
            "installments",
            "json",
            "Installments as a JSON array; also rows of the child table.",
        ),
        Column(
            "approval",
            "json",
            "The customer's approval as JSON, with IP address and browser; null without one.",
            sensitive=True,
        ),
        CREATED_AT,
        UPDATED_AT,
    ),
    children=(ChildTable("installments", "One row per installment.", INSTALLMENT),),
    foreign_keys=(ForeignKey("invoice_id", "invoices", cascades=True),),
    deletion_event="payment_plan.deleted",
    filters_by_id=False,
)
