"""The payment sources that customers saved, removed ones included."""

from invoiced_emulator.seed.payments.payment_sources import payment_source
from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY
from invoiced_emulator.seed.simulation.kinds import BANK_ACCOUNT, CARD, Kind
from invoiced_emulator.seed.simulation.simulation import Simulation

_KINDS: dict[str, Kind] = {"card": CARD, "bank_account": BANK_ACCOUNT}


def save_sources(simulation: Simulation, account: Account) -> None:
    """Saves the customer's default source, and for some a card that they remove later."""
    default: Record | None = account.record["payment_source"]
    with simulation.apart():
        if default is not None:
            _save(simulation, account, default)
        if simulation.random.random() < 0.1:
            card = payment_source(simulation, "card", account.id, account.record["name"])
            removed_at = simulation.clock + simulation.random.randrange(DAY, 300 * DAY)
            _save(simulation, account, card, removed_at)


def _save(
    simulation: Simulation, account: Account, source: Record, removed_at: int | None = None
) -> None:
    kind = _KINDS[source["object"]]
    simulation.emit_event(kind, "created", source, account)
    if removed_at is not None and removed_at <= simulation.now:
        removed = {**source, "chargeable": False, "updated_at": removed_at}
        simulation.at(removed_at, _emit_removal, simulation, account, source)
        source = removed
    simulation.emit(kind.collection, source)


def _emit_removal(simulation: Simulation, account: Account, source: Record) -> None:
    with simulation.apart():
        simulation.emit_event(_KINDS[source["object"]], "deleted", source, account)
