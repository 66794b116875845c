"""Refunds charges, in part or whole, and voids refunds."""

from decimal import Decimal

from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.customers import gateway
from invoiced_emulator.documents.documents import save_document, with_defaults
from invoiced_emulator.documents.kinds import INVOICE
from invoiced_emulator.payments.payments import embedded_charge
from invoiced_emulator.payments.transactions import are_silent, new_transaction
from invoiced_emulator.protocol.clock import DAY
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.protocol.exact_json import number_text
from invoiced_emulator.records.properties import as_decimal
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork
from invoiced_emulator.writes.records import committed, record_in_path
from invoiced_emulator.writes.responses import record_response


def create(call: Call) -> Response:
    """Handles POST /charges/:id/refunds."""
    work = call.work
    charge = record_in_path(call, "charges")
    amount = as_decimal(call.body.get("amount")) or Decimal(0)
    _check(charge, amount, work.clock.now())
    with committed(call):
        refund = work.create(
            "refunds",
            {
                "charge": charge["id"],
                "charge_id": charge["id"],
                "currency": charge["currency"],
                "amount": amount,
                "status": "succeeded",
                "failure_message": None,
                "gateway": gateway.NAME,
                "gateway_id": f"re_{work.store.next_value('gateway'):08d}",
            },
        )
        _update_charge(work, charge, refund)
        _return_money(work, charge, refund)
    return record_response(call, "refunds", refund, 201)


def void(call: Call) -> Response:
    """Handles POST /refunds/:id/void."""
    refund = record_in_path(call, "refunds")
    with committed(call):
        voided = call.work.save("refunds", refund, refund | {"status": "voided"}, silent=True)
        charge = call.shared.store.get("charges", refund["charge_id"])
        if charge is not None:
            _update_charge(call.work, charge, voided)
    return record_response(call, "refunds", voided, 201)


def _check(charge: Record, amount: Decimal, now: int) -> None:
    if charge["status"] != "succeeded":
        raise refused("Refunds are not available for this charge because it has not cleared.")
    if amount <= 0:
        text = f"{number_text(amount)} {charge['currency'].upper()}"
        raise refused(f"Invalid refund amount: {text}")
    rest = decimal(charge, "amount") - decimal(charge, "amount_refunded")
    if amount > rest:
        raise refused("The refund amount cannot exceed the original charge amount.")
    source = charge.get("payment_source") or {}
    same_day = (charge.get("created_at") or 0) // DAY == now // DAY
    # Observed: refused. Invoiced's text is not known.
    if same_day and source.get("object") == "card" and amount < decimal(charge, "amount"):
        raise refused("Partial refunds are not available on the day of the charge.")


def _update_charge(work: UnitOfWork, charge: Record, refund: Record) -> None:
    """Updates the charge of a refund, and its copy in the payment, whose `updated_at` stays."""
    refunds = [each for each in charge["refunds"] if each["id"] != refund["id"]]
    embedded = {name: value for name, value in refund.items() if name != "charge"}
    refunds.append(embedded)
    refunded = sum(
        (decimal(each, "amount") for each in refunds if each["status"] != "voided"), Decimal(0)
    )
    after = charge | {
        "refunds": refunds,
        "amount_refunded": refunded,
        "refunded": refunded >= decimal(charge, "amount"),
    }
    work.save("charges", charge, after, silent=True)
    payment = work.store.get("payments", charge.get("payment_id") or 0)
    if payment is not None:
        work.store.put("payments", payment | {"charge": embedded_charge(after)})


def _return_money(work: UnitOfWork, charge: Record, refund: Record) -> None:
    """Writes the refund's transaction and reopens the invoice that the charge paid."""
    payment = work.store.get("payments", charge.get("payment_id") or 0)
    if payment is None:
        return
    paid = [each for each in payment.get("applied_to") or () if each.get("type") == "invoice"]
    invoice_id = paid[0]["invoice"] if paid else None
    transaction = new_transaction(
        work,
        customer=payment["customer"],
        currency=payment["currency"],
        amount=decimal(refund, "amount"),
        type="refund",
        method=payment["method"],
        date=work.clock.now(),
        payment=payment["id"],
        invoice=invoice_id,
        parent_transaction=paid[0]["id"] if paid else None,
    )
    work.create("transactions", transaction, silent=are_silent(work))
    stored = work.store.get("invoices", invoice_id) if invoice_id is not None else None
    if stored is not None:
        before = with_defaults(stored, INVOICE)
        amount_paid = decimal(before, "amount_paid") - decimal(refund, "amount")
        save_document(work, "invoices", before, before | {"amount_paid": amount_paid})
