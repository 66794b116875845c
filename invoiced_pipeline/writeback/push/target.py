"""Where a push goes, and where it keeps what it did."""

from dataclasses import dataclass, field

from pydantic import SecretStr

from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.selection.privacy import Privacy
from invoiced_pipeline.settings import ConnectionSettings, remembered_host
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a push goes, and where it keeps what it did.

    Attributes:
        client: Of the account; reader and pushes share its limit on requests in flight.
        api_key: The key that the client sends; only its fingerprint is kept.
        connection: The account's settings; its dataset holds ledger, answers and replica.
        database: The warehouse. The caller holds the writer's lock.
        run_id: The run.
        privacy: What of the connection's records must not be kept.
        clock: The time.
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
        """The schema of ledger, answers and replica."""
        return self.connection.dataset

    @property
    def host(self) -> str:
        """What the dataset remembers of where its records are."""
        return remembered_host(self.connection.base_url)
