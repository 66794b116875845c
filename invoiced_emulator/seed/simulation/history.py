"""Applies changes to a record over time: fields, `updated_at` and events."""

from collections.abc import Iterable

from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.kinds import Kind
from invoiced_emulator.seed.simulation.simulation import Simulation

Step = tuple[int, str, Record]
"""Time, name of the event (`updated`, `paid`, ...), and the fields that change."""


def advance(
    simulation: Simulation,
    kind: Kind,
    state: Record,
    steps: Iterable[Step],
    *,
    account: Account | None = None,
) -> Record:
    """Returns the record after all steps up to now, and plans their events."""
    for moment, change, fields in steps:
        if moment > simulation.now:
            break
        after = {**state, **fields}
        changed = [name for name in after if after[name] != state[name]]
        if not changed:
            continue
        after["updated_at"] = moment
        # A change that shows in no visible field moves updated_at but has no event.
        previous = {name: state[name] for name in changed if name not in kind.hidden}
        if previous:
            simulation.at(moment, simulation.emit_event, kind, change, after, account, previous)
        state = after
    return state
