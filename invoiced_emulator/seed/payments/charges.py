"""Charges of cards and bank accounts, also those that failed."""

from dataclasses import dataclass

from invoiced_emulator.seed.payments.payment_sources import GATEWAY
from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.kinds import CHARGE
from invoiced_emulator.seed.simulation.money import Number
from invoiced_emulator.seed.simulation.simulation import Simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging:
    """A card or bank account that is charged, and the outcome."""

    source: Record
    amount: Number
    currency: str
    status: str
    gateway_id: str
    payment_id: int | None = None
    failure_message: str | None = None


def charge_record(simulation: Simulation, charge_id: int, charging: Charging) -> Record:
    """Returns a charge of now, as its payment holds it: relations as `<name>_id` only."""
    return {
        "id": charge_id,
        "object": "charge",
        "customer_id": charging.source["customer_id"],
        "currency": charging.currency,
        "amount": charging.amount,
        "status": charging.status,
        "amount_refunded": 0,
        "refunded": False,
        "disputed": False,
        "gateway": GATEWAY,
        "gateway_id": charging.gateway_id,
        "failure_message": charging.failure_message,
        "receipt_email": None,
        "description": None,
        "payment_source": charging.source,
        "refunds": [],
        "payment_id": charging.payment_id,
        "merchant_account_id": 2353,
        "payment_flow_id": None,
        "merchant_account_transaction_id": None,
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
    }


def emit_charge(simulation: Simulation, charge: Record) -> None:
    """Emits a charge as its list shows it."""
    simulation.emit("charges", _listed(charge))


def emit_charge_event(simulation: Simulation, account: Account, charge: Record) -> None:
    """Emits the event of a new charge, which is named after its status."""
    simulation.emit_event(CHARGE, charge["status"], _listed(charge), account)


def emit_declined(simulation: Simulation, account: Account, charging: Charging) -> None:
    """Emits a charge that failed and made no payment."""
    charge_id = simulation.next_id("charge", CHARGE.first_id, simulation.extras)
    charge = charge_record(simulation, charge_id, charging)
    emit_charge_event(simulation, account, charge)
    emit_charge(simulation, charge)


def _listed(charge: Record) -> Record:
    return {**charge, "customer": charge["customer_id"], "payment": charge["payment_id"]}
