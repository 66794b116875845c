"""What all parts of a push share: account, warehouse and run; and what the caller wants pushed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import SecretStr

from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.selection.privacy import Privacy
from invoiced_pipeline.settings import ConnectionSettings, remembered_host
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.clock import Clock, SystemClock
from invoiced_pipeline.writeback.ledger.keys import fingerprint
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.send_decision import NO_RETRIES, Retries
from invoiced_pipeline.writeback.plan.single_row import SingleRow
from invoiced_pipeline.writeback.recovery.outcome import REQUEST_AFTERLIFE


@dataclass(frozen=True, slots=True, kw_only=True)
class PushContext:
    """The account, warehouse and run of a push.

    Attributes:
        client: The account's client; look-ups and writes share its limit on requests in flight.
        api_key: The API key that the client uses; the ledger keeps only its fingerprint.
        connection: The account's settings; its dataset holds ledger, responses and replica.
        database: The warehouse. The caller holds the writer's lock.
        run_id: The run.
        privacy: What must not be stored of the connection's records.
        clock: The clock.
    """

    client: InvoicedClient
    api_key: SecretStr
    connection: ConnectionSettings
    database: Database
    run_id: str
    privacy: Privacy = field(default_factory=Privacy)
    clock: Clock = field(default_factory=SystemClock)

    @property
    def dataset(self) -> str:
        """The schema of ledger, responses and replica."""
        return self.connection.dataset

    @property
    def host(self) -> str:
        """The host of the API, as the dataset remembers it."""
        return remembered_host(self.connection.base_url)

    @property
    def api_key_fingerprint(self) -> str:
        """Identifies the API key without revealing it."""
        return fingerprint(self.api_key)

    @property
    def longest_run(self) -> timedelta:
        """How long after its start the API may still carry out a request."""
        return timedelta(seconds=self.client.retry_policy.read_seconds) + REQUEST_AFTERLIFE


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """What is pushed, and how.

    Attributes:
        retries: Rows to send again although nothing in them changed.
        single: The one row to send; its parents are not pushed then.
        with_parents: Whether to push the write-backs that this one refers to first.
        waits: Whether to wait, about two minutes, until a request whose response was lost can no
            longer be running, and to resolve it then; otherwise the next push does.
        on_plan: Called with the plan before anything is sent.
    """

    retries: Retries = NO_RETRIES
    single: SingleRow | None = None
    with_parents: bool = True
    waits: bool = True
    on_plan: Callable[[Plan], None] | None = None
