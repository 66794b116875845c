"""Pending line items: what the next invoice of a customer will have."""

from invoiced_emulator.seed.documents.line_items import draw_lines
from invoiced_emulator.seed.simulation.account import Account
from invoiced_emulator.seed.simulation.kinds import PENDING_LINE
from invoiced_emulator.seed.simulation.simulation import Simulation


def add_pending_lines(simulation: Simulation, account: Account) -> None:
    """Adds one to three pending lines."""
    with simulation.apart():
        for line in draw_lines(simulation, account, 1 + simulation.random.randrange(3)):
            pending = {**line, "customer": account.id}
            simulation.emit_event(PENDING_LINE, "created", pending, account)
            simulation.emit("line_items", pending)
