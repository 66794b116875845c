"""What the parts of a run that look for deletions share."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.warehouse.deletion_marks import Marks


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionContext:
    """What the parts of a run that look for deletions share.

    Attributes:
        client: Where to read.
        request: What the run replicates.
        marks: Where deletions are marked.
        executor: Runs requests in parallel.
        count: Called with the number of rows marked, by table.
        tally: Their requests.
    """

    client: InvoicedClient
    request: ReplicationRequest
    marks: Marks
    executor: Executor
    count: Callable[[Counter[str]], None]
    tally: Tally = field(default_factory=Tally)
