"""An account that changes while it is replicated, and the judgement on the replica."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from dlt import Pipeline

from invoiced_emulator.calls.call import RequestHook
from invoiced_emulator.protocol.errors import ApiError
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import OPTIONAL_TABLE_NAMES, TABLE_NAMES, TABLES
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading import (
    by_id,
    by_page_number,
    identifiers,
    pages,
    window_walk,
)
from invoiced_pipeline.replication import package
from invoiced_pipeline.replication.report import Mode, TableReport
from invoiced_pipeline.settings import Deletions
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.windows import to_epoch
from invoiced_pipeline_tests.change.actors import Actors, OvertakenError
from invoiced_pipeline_tests.change.operations import MAY_LOSE_EVENTS, OPERATIONS
from invoiced_pipeline_tests.change.reference_read import all_records, differences, held, torn
from invoiced_pipeline_tests.conftest import Replica
from invoiced_pipeline_tests.warehouses import OPEN_FILES, copied, lasting_warehouse

PAGE = 3
"""Records in a page: with so few, a small account has many boundaries to fall on."""

AHEAD = 4
"""Pages of a table that are read before they are taken, if packages are small."""

LATEST = 240
"""Seconds that a commit may be late: the overlap is 300."""


Moment = int | tuple[str, int]
"""Before a run's request with this number, or before a list's; the first has the number 0."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that actors do.

    Attributes:
        operation: Its name.
        number: Chooses among the records that are there.
        wait: Seconds that pass before it.
        late: Seconds that its transaction has been open when it commits.
        lost: Whether its events are never seen.
    """

    operation: str
    number: int = 0
    wait: int = 0
    late: int = 0
    lost: bool = False


Meanwhile = Mapping[Moment, Sequence[Step]]
"""What happens during a run, before certain requests are answered."""


class Template:
    """The outcome of a first sync, kept for other worlds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: Database | None = None


class SimulatedAccount:
    """An account, its actors and its replica.

    Args:
        emulator: An empty account.
        folder: Where the warehouse is made.
        template: Where the outcome of the first sync is kept for other worlds.
        tables: What is replicated.

    Attributes:
        overlap: How far syncs reach back.
        deletions: What becomes of rows that are gone.
        most_records: Records after which a package of a first load ends; None for the default.
        loads: Packages that a sync which dies loads before.
        has_gap: Whether the events feed lacks something that only a sweep can find.
        refused: Steps that the API refused.
        served: The newest `updated_at` that the last sync was shown, by table and id.
    """

    def __init__(
        self,
        emulator: Emulator,
        folder: Path,
        template: Template | None = None,
        tables: Sequence[str] = TABLE_NAMES,
    ) -> None:
        self.emulator = emulator
        self._folder = folder
        self._template = template
        self.actors = Actors(emulator)
        OPEN_FILES.close()  # of the account before
        database = lasting_warehouse(folder)
        self.replica = Replica(emulator.url, emulator.api_key, database, keeps_open=True)
        self.replica.tables = {"optional": [n for n in tables if n in OPTIONAL_TABLE_NAMES]}
        self.tables = tuple(tables)
        self.overlap = timedelta(minutes=5)
        self.deletions: Deletions = "mark"
        self.most_records: int | None = None
        self.loads = 0
        self.has_gap = False
        self.refused: list[Step] = []
        self.served: dict[str, dict[Any, int]] = defaultdict(dict)
        self._failed: set[str] = set()
        # A step moves the clock for a while: two at a time would be later than any is.
        self._one_at_a_time = threading.RLock()

    def begin(self, *, is_new: bool = False) -> None:
        """Populates the account; it has been synced once, unless `is_new`.

        The first sync is always the same one, so its outcome is kept as a template.
        """
        self.populate()
        self.emulator.clock.advance(3600)
        self._folder.mkdir(parents=True, exist_ok=True)
        if is_new:
            return
        template = self._template
        if template is not None and template.kept is not None:
            self.replica.database = copied(template.kept, self._folder)
            return
        self.sync()
        if template is not None:
            template.kept = copied(self.replica.database, template.folder)

    def populate(self) -> None:
        """A few records of every kind, some of them in one second."""
        for _ in range(6):
            self.do(Step("create_customer", wait=1))
        for at in range(2):
            self.do(Step("create_plan", at))
            self.do(Step("subscribe", at, wait=1))
        for at in range(8):
            self.do(Step("create_document", at, wait=at % 2))
        for at in range(4):
            self.do(Step("pay", at, wait=at % 2))
            self.do(Step("prepay", at + 2))
            self.do(Step("adjust_credit", at))
        self.do(Step("record_transaction", 3))
        for at in (6, 7):  # without documents, so that they can be deleted
            self.do(Step("create_customer", wait=1))
            self.do(Step("prepay", at))
            self.do(Step("adjust_credit", at))
        for at in range(6):
            self.do(Step("create_catalog_object", at))
            self.do(Step("write_note", at + 2))
            self.do(Step("create_task", at + 2))
        for at in range(1, 5):
            self.do(Step("charge_card", at))
        self.do(Step("refund_charge", 0))
        for at in range(4):
            self.do(Step("add_contact", at))
            self.do(Step("save_source", at))
            self.do(Step("add_pending_line", at + 3))
        for at in (0, 3):  # the lines of the other invoices can still be changed
            self.do(Step("agree_on_plan", at))

    def do(self, step: Step) -> None:
        """Has a step done; what the API refuses does not happen."""
        with self._one_at_a_time:
            self._do(step)

    def _do(self, step: Step) -> None:
        actors = self.actors
        actors.clock.advance(step.wait)
        try:
            with (
                _if(step.lost and step.operation in MAY_LOSE_EVENTS, actors.events_lost()),
                _if(step.late and step.operation != "bring_back", actors.late(step.late)),
            ):
                OPERATIONS[step.operation](actors, step.number)
        except OvertakenError:
            self._do(Step(step.operation, step.number, lost=step.lost))
        except ApiError:
            self.refused.append(step)
            return
        self.has_gap |= step.lost and step.operation in MAY_LOSE_EVENTS

    def sync(
        self,
        meanwhile: Meanwhile | None = None,
        also: RequestHook | None = None,
        mode: Mode = "sync",
    ) -> dict[str, TableReport]:
        """Syncs all tables while steps, and whatever `also` does, happen."""
        small = small_packages(self.most_records or package.MOST_RECORDS)
        small = _if(self.most_records, small)
        options: dict[str, Any] = {"deletions": self.deletions, "overlap": self.overlap}
        with self.meddling(meanwhile or {}, also), small_pages(), small, self._watching():
            reports = self.replica(*self.tables, mode=mode, **options)
        self._failed = {name for name, report in reports.items() if report.error}
        return reports

    def sync_fully(self, meanwhile: Meanwhile) -> None:
        """Reads everything again while steps happen, and then sweeps, as `sync --full` does."""
        reports = self.sync(meanwhile, mode="full")
        whole = [name for name, report in reports.items() if report.is_complete]
        with small_pages():
            self.replica.sweep(*whole, deletions=self.deletions, listed=self.replica.listed)

    def sync_that_stumbles(self, path: str, meanwhile: Meanwhile) -> None:
        """A sync in which the requests to one list fail, from some moment on, for good."""
        self.emulator.faults.next("rate5xx", 1000, skip=1, path=path)
        self.sync(meanwhile)
        self.emulator.faults.clear()

    def sync_that_dies(self, meanwhile: Meanwhile) -> None:
        """A sync whose process ends when a package is read and not loaded yet."""
        with dying(self.loads):
            self.sync(meanwhile)

    def kept(self) -> Database:
        """A copy of the warehouse as it is now."""
        return copied(self.replica.database, self._folder / "kept")

    def put_back(self, kept: Database) -> None:
        """Replaces the warehouse by an earlier copy of it; dlt's local folder stays."""
        self.replica.database = copied(kept, self._folder)

    def sweep(self, meanwhile: Meanwhile | None = None) -> None:
        """Sweeps all tables while steps happen; there must be something to sweep."""
        if not self.replica.existing().intersection(self.tables):
            self.sync()
        self.has_gap = False  # what is lost from now on is the next sweep's
        with self.meddling(meanwhile or {}), small_pages():
            reports = self.replica.sweep(*self.tables, deletions=self.deletions)
        _expect_none([f"{name}: {each.error}" for name, each in reports.items() if each.error])

    def judge(self) -> None:
        """After a quiet sync, and a sweep where the feed had a gap, all is as the API has it.

        Raises:
            WrongReplicaError: It is not.
        """
        self.sync_well()
        if self.has_gap:
            self.sweep()
        rows = held(self.replica, self.tables)
        _expect_none(differences(rows, all_records(self.emulator, self.tables)) + torn(rows))

    def judge_sync(self) -> None:
        """At any time: no row twice, none torn, and none older than what the sync was shown.

        A table that failed has not taken all that it was shown; the next sync reads it again.

        Raises:
            WrongReplicaError: It is not so.
        """
        rows = held(self.replica, self.tables)
        older = [
            f"{name} {row['id']}: older than the version that the sync was shown"
            for name, served in self.served.items()
            if name not in self._failed
            for row in rows[name]
            if (second := seconds(row["updated_at"])) is not None
            and second < served.get(row["id"], second)
        ]
        _expect_none(torn(rows) + older)

    def sync_well(self) -> None:
        """A sync during which nothing happens; no table may fail."""
        _expect_none([f"{name}: {each.error}" for name, each in self.sync().items() if each.error])

    @contextmanager
    def meddling(self, meanwhile: Meanwhile, also: RequestHook | None = None) -> Iterator[None]:
        """While it is open, steps happen before the requests that they are named for."""
        requests: Counter[str] = Counter()

        def meddle(path: str, query: dict[str, Any]) -> None:
            moments: tuple[Moment, ...] = (requests.total(), (path, requests[path]))
            requests[path] += 1
            if also is not None:
                also(path, query)
            for moment in moments:
                for step in meanwhile.get(moment, ()):
                    self.do(step)

        self.emulator.on_request = meddle
        try:
            yield
        finally:
            self.emulator.on_request = None

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Notes which versions the lists of a sync show."""
        self.served.clear()
        names = {table.path: table.name for table in TABLES if table.listing != "whole"}
        asked = InvoicedClient.list_page

        def list_page(client: InvoicedClient, path: str, params: Any, *arguments: Any) -> Any:
            answer = asked(client, path, params, *arguments)
            # A list of ids alone, for tables listed per parent, shows no version of a record.
            is_shown = path in names and "exclude" not in dict(params)
            for record in msgspec.json.decode(answer.body) if is_shown else ():
                served, second = self.served[names[path]], record["updated_at"]
                served[record["id"]] = max(second, served.get(record["id"], second))
            return answer

        with mock.patch.object(InvoicedClient, "list_page", list_page):
            yield


@contextmanager
def small_pages(size: int = PAGE) -> Iterator[None]:
    """Lets the client ask for `size` records at a time, and read in parts what is not small."""
    with (
        mock.patch.object(pages, "PER_PAGE", size),
        mock.patch.object(window_walk, "PER_PAGE", size),
        mock.patch.object(by_page_number, "PER_PAGE", size),
        mock.patch.object(identifiers, "PER_PAGE", size),
        mock.patch.object(by_id, "PER_PAGE", size),
        mock.patch.object(window_walk, "PAGES_PER_PART", 2),
        mock.patch.object(by_id, "PAGES_PER_PART", 2),
    ):
        yield


@contextmanager
def small_packages(most_records: int) -> Iterator[None]:
    """Lets a first load commit after so many records, and read few pages ahead of a package."""
    with (
        mock.patch.object(package, "MOST_RECORDS", most_records),
        mock.patch.object(window_walk, "MAX_PAGES_AHEAD", AHEAD),
    ):
        yield


@contextmanager
def dying(loads: int = 0) -> Iterator[None]:
    """The process ends when so many packages are loaded, and the next one is read."""
    load, left = Pipeline.load, loads

    def load_or_die(pipeline: Pipeline, *arguments: Any, **options: Any) -> Any:
        nonlocal left
        if not left:
            raise DiedError
        left -= 1
        return load(pipeline, *arguments, **options)

    with mock.patch.object(Pipeline, "load", load_or_die), suppress(DiedError):
        yield


@contextmanager
def _if(wanted: object, context: Any) -> Iterator[None]:
    if wanted:
        with context:
            yield
    else:
        yield


def seconds(instant: datetime | int | None) -> int | None:
    """A column's instant in epoch seconds."""
    return to_epoch(instant) if isinstance(instant, datetime) else instant


class DiedError(Exception):
    """Stands for the end of the process."""


class WrongReplicaError(AssertionError):
    """The replica is not as it has to be; the text says in what."""


def _expect_none(found: list[str]) -> None:
    if found:
        raise WrongReplicaError("\n".join(found))
