"""A record's life: each step changes fields, moves `updated_at` and leaves an event."""

from collections.abc import Callable, Iterable

from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.kinds import Kind
from invoiced_emulator.seed.simulation.simulation import Simulation

Step = tuple[int, str, Record]
"""When, which event (`updated`, `paid`, ...), and the fields that change."""

Derive = Callable[[Record, int], Record]
"""Fields that follow from the others, such as a status, at a moment."""


def advance(  # noqa: PLR0913  all of them are needed to tell a life
    simulation: Simulation,
    kind: Kind,
    state: Record,
    steps: Iterable[Step],
    *,
    account: Account | None = None,
    derive: Derive | None = None,
) -> Record:
    """The record after all steps that have happened by now; their events are planned."""
    for moment, change, fields in steps:
        if moment > simulation.now:
            break
        after = {**state, **fields}
        if derive is not None and "status" not in fields:
            after.update(derive(after, moment))
        changed = [name for name in after if after[name] != state[name]]
        if not changed:
            continue
        after["updated_at"] = moment
        # A change that shows in no field leaves no event, however much it moves updated_at.
        previous = {name: state[name] for name in changed if name not in kind.hidden}
        if previous:
            simulation.at(moment, simulation.emit_event, kind, change, after, account, previous)
        state = after
    return state
