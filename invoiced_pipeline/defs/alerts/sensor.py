"""The sensor that sends alerts: one for all connections, on as soon as there are addresses."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from invoiced_pipeline.alerts.delivery import Address, read_addresses
from invoiced_pipeline.alerts.incident import follow, mark_notified
from invoiced_pipeline.alerts.message import Message, message_for
from invoiced_pipeline.alerts.state import AlertState
from invoiced_pipeline.defs.alerts.changed_datasets import changed_datasets
from invoiced_pipeline.defs.alerts.connection_findings import connection_findings, subjects_of
from invoiced_pipeline.defs.names import ALERTS_SENSOR
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.settings import ConnectionSettings, Settings

_SECONDS_BETWEEN_TICKS = 30
_CONNECTIONS_PER_TICK = 10
"""Connections that a tick looks at in turn, besides those with a run that changed. A tick is one
thread of one process: with one sensor a connection, hundreds of them would wait for each other."""

_CHANGED_WITHIN = timedelta(minutes=3)
"""Several ticks, so that a late one misses no run; the turns find whatever it misses."""

_SECONDS_TO_SEND = 20.0
"""After this time a tick sends nothing more: Dagster ends a tick that takes a minute."""


def alerts_sensor(settings: Settings) -> dg.SensorDefinition | None:
    """Returns the sensor `alerts_sensor`; None without addresses."""
    if not settings.alert_addresses:
        return None

    @dg.sensor(
        name=ALERTS_SENSOR,
        minimum_interval_seconds=_SECONDS_BETWEEN_TICKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends the addresses of `[alerts]` what failed, is stale or needs a person, "
        "once for each incident and once when it is over. It starts no runs.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        state, sent = tick(context, settings, datetime.now(UTC))
        context.update_cursor(state.encode())
        return dg.SkipReason(sent)

    return sensor


def tick(
    context: dg.SensorEvaluationContext, settings: Settings, now: datetime
) -> tuple[AlertState, str]:
    """Looks at some connections and sends what is new; returns what to remember, and a summary.

    A message that does not arrive is sent again at the next tick, with what came meanwhile.

    Raises:
        ConfigurationError: Apprise is not installed, or a selection of tables is wrong.
    """
    addresses = read_addresses(settings.alert_addresses)
    state = AlertState.decode(context.cursor)
    by_dataset = {each.dataset: each for each in settings.connection}
    in_turn, following = _in_turn(list(by_dataset), state.next)
    changed = changed_datasets(context.instance, settings, now - _CHANGED_WITHIN)
    known = {name: each for name, each in state.incidents.items() if name in by_dataset}
    state = AlertState(known, following)
    for dataset in dict.fromkeys([*in_turn, *changed]):
        connection = by_dataset[dataset]
        findings = connection_findings(context.instance, settings, connection, now)
        incidents = follow(
            state.of(dataset),
            findings,
            addresses={each.number for each in addresses},
            subjects=subjects_of(settings, connection),
        )
        state = state.updated(dataset, incidents)
    return _notify(context, settings, state, addresses)


def _in_turn(datasets: Sequence[str], first: str) -> tuple[list[str], str]:
    """Returns the datasets whose turn it is, and the one that comes next."""
    start = datasets.index(first) if first in datasets else 0
    ordered = [*datasets[start:], *datasets[:start]]
    return ordered[:_CONNECTIONS_PER_TICK], (ordered * 2)[_CONNECTIONS_PER_TICK % len(ordered)]


def _notify(
    context: dg.SensorEvaluationContext,
    settings: Settings,
    state: AlertState,
    addresses: Sequence[Address],
) -> tuple[AlertState, str]:
    sent, late = 0, 0
    deadline = time.monotonic() + _SECONDS_TO_SEND
    for address in addresses:
        is_reached = True
        for connection in settings.connection:
            message = _message(address, connection, settings, state)
            if message is None:
                continue
            is_reached = is_reached and time.monotonic() < deadline and address.send(message)
            if not is_reached:
                late += 1
                continue
            sent += 1
            dataset = connection.dataset
            state = state.updated(dataset, mark_notified(state.of(dataset), address.number))
        if not is_reached:
            context.log.warning("%s was not reached; the next tick sends again", address)
    summary = f"{counted(sent, 'message')} sent"
    return state, f"{summary}, {late:,} wait for the next tick" if late else summary


def _message(
    address: Address, connection: ConnectionSettings, settings: Settings, state: AlertState
) -> Message | None:
    return message_for(
        address.number,
        connection.name,
        state.of(connection.dataset),
        ui_url=settings.alerts.ui_url,
    )
