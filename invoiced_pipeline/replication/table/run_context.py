"""What all tables of a run share."""

from concurrent.futures import Executor
from dataclasses import dataclass, field

from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading.identifiers import Identifiers
from invoiced_pipeline.replication.availability import Availability
from invoiced_pipeline.replication.deletions.feed import DeletionFeed
from invoiced_pipeline.replication.package import Package
from invoiced_pipeline.replication.replaced_rows import ReplacedRows
from invoiced_pipeline.replication.request import ReplicationRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What all tables of a run share.

    Attributes:
        client: Where to read.
        executor: Runs requests in parallel.
        request: What the run replicates.
        availability: Which tables the account has.
        deletions: The run's deletions; None if they are ignored.
        package: What dlt loads next.
        replaced: Looks up rows before the load replaces them; None if nobody asks for it.
        listed: What was on the lists of all parents, by table, for the sweep after a full refresh.
    """

    client: InvoicedClient
    executor: Executor
    request: ReplicationRequest
    availability: Availability
    deletions: DeletionFeed | None
    package: Package
    replaced: ReplacedRows | None
    listed: dict[str, Identifiers] = field(default_factory=dict)
