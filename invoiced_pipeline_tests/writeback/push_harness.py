"""A push without source and settings file: handmade rows, and a clock that a test moves."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog.operations import operation
from invoiced_pipeline.invoiced.http.client import InvoicedClient, RetryPolicy
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.selection.privacy import privacy_of
from invoiced_pipeline.settings import ConnectionSettings, WritebackSettings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.ledger import Entry, Ledger
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.send_decision import NO_RETRIES, Retries
from invoiced_pipeline.writeback.push.context import PushContext, PushOptions
from invoiced_pipeline.writeback.push.push import push
from invoiced_pipeline.writeback.push.report import PushReport
from invoiced_pipeline_tests.warehouses import OPEN_FILES

DATASET = "invoiced"
RETRY_POLICY = RetryPolicy(attempts=3, longest_wait=0.001, connect_seconds=5, read_seconds=5)
LONG = timedelta(seconds=RETRY_POLICY.read_seconds + 61)
"""The time after which no request can be running."""


class HandClock:
    """A clock that moves only when a test sets it or code pauses."""

    def __init__(self, at: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.at = at
        self.pauses: list[float] = []
        self.on_pause: Callable[[], object] = lambda: None

    def now(self) -> datetime:
        return self.at

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += timedelta(seconds=seconds)
        self.on_pause()


def planned(record_key: str, body: Mapping[str, Any] | None = None, **options: Any) -> PlannedRow:
    """A row to send; `POST /customers` by default."""
    values = {"action": "create", "method": "POST", "path": "/customers"} | options
    content = encode_body([values["action"], values["path"], body])
    return PlannedRow(
        position=0,
        record_key=record_key,
        body=body,
        payload_hash=hashlib.sha256(content).hexdigest(),
        **values,
    )


def customers(count: int, *, start: int = 0) -> list[PlannedRow]:
    """New customers with different keys and names."""
    return [planned(f"k{at}", {"name": f"Customer {at}"}) for at in range(start, start + count)]


@dataclass
class PushHarness:
    """Pushes rows to an emulator, and reads the ledger."""

    emulator: Emulator
    database: Database
    clock: HandClock = field(default_factory=HandClock)
    operation: str = "create_customer"
    settings: dict[str, Any] = field(default_factory=dict)
    connection: dict[str, Any] = field(default_factory=dict)
    api_key: str | None = None
    run_id: str = "run"
    retry_policy: RetryPolicy = RETRY_POLICY
    keeps_open: bool = False
    """Whether a file stays open after the first push, until `OPEN_FILES.close()`."""

    def __call__(
        self,
        rows: Iterable[PlannedRow],
        *,
        name: str | None = None,
        retries: Retries = NO_RETRIES,
        waits: bool = False,
        operation_name: str | None = None,
        meanwhile: Callable[[], object] | None = None,
        **settings: Any,
    ) -> PushReport:
        what = operation_name or self.operation
        options = WritebackSettings(
            name=name or what,
            operation=what,
            source="rows",
            key="key",
            **{"active": True, **self.settings, **settings},
        )
        every = list(rows)
        key = SecretStr(self.api_key or self.emulator.api_key)
        client = InvoicedClient(self.emulator.url, key, retry_policy=self.retry_policy)
        connection = ConnectionSettings(api_url=self.emulator.url, **self.connection)
        context = PushContext(
            client=client,
            api_key=key,
            connection=connection,
            privacy=privacy_of(connection, lambda _: SecretStr("salt")),
            database=self.database,
            run_id=self.run_id,
            clock=self.clock,
        )

        def make_plan(entries: Mapping[str, Entry]) -> Plan:
            # Open outcomes are resolved by now.
            unsent = _without_done(every, entries)
            if meanwhile is not None:
                meanwhile()
            return Plan(settings=options, operation=operation(what), rows=unsent)

        try:
            return push(context, options, make_plan, PushOptions(retries=retries, waits=waits))
        finally:
            client.close()
            self._keep_open()

    def without_replica(self) -> "PushHarness":
        """Replicates another table only, so that pushes load nothing into the replica."""
        with self.database.session(DATASET) as session:
            session.run("create table plans (_deleted_at timestamp with time zone)")
        self._keep_open()
        return self

    def _keep_open(self) -> None:
        if self.keeps_open:
            OPEN_FILES.keep(self.database)

    def entries(self, name: str | None = None) -> dict[str, Entry]:
        return Ledger(self.database, DATASET).entries(name or self.operation)

    def states(self, name: str | None = None) -> dict[str, str]:
        return {key: entry.state for key, entry in self.entries(name).items()}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.database.session(DATASET, read_only=True) as session:
            return session.rows(sql)


def _without_done(rows: Sequence[PlannedRow], entries: Mapping[str, Entry]) -> Sequence[PlannedRow]:
    """Marks rows as the planner does: up to the last success of their key they are unchanged."""
    done = {
        row.record_key: at
        for at, row in enumerate(rows)
        if row.record_key in entries and entries[row.record_key].succeeded_hash == row.payload_hash
    }
    return [
        replace(row, action="unchanged") if at <= done.get(row.record_key, -1) else row
        for at, row in enumerate(rows)
    ]
