"""What all tests share: an emulated account, a warehouse, and a replication without Dagster."""

import dataclasses
import gc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr

from invoiced_emulator.protocol.account import Account
from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.server import Emulator
from invoiced_pipeline.garbage_collection import collect_rarely
from invoiced_pipeline.invoiced.http.client import InvoicedClient, RetryPolicy
from invoiced_pipeline.invoiced.reading.identifiers import Identifiers
from invoiced_pipeline.replication.documentation.dataset import document_dataset
from invoiced_pipeline.replication.replication import Replication
from invoiced_pipeline.replication.replication_load import load_replication
from invoiced_pipeline.replication.report import Mode, TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.retention import remove_expired
from invoiced_pipeline.replication.sweep.dataset_sweep import sweep_dataset
from invoiced_pipeline.replication.sweep.report import SweepReport
from invoiced_pipeline.selection.privacy import privacy_of
from invoiced_pipeline.selection.tables import all_tables_of, tables_of
from invoiced_pipeline.settings import Cadence, Deletions, Settings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.deletion_marks import Marks
from invoiced_pipeline.warehouse.duckdb.destination import QualifiedSqlClient
from invoiced_pipeline.warehouse.row_redaction import RowRedactor
from invoiced_pipeline.windows import Window
from invoiced_pipeline_tests import library_caches
from invoiced_pipeline_tests.examples import draw_few
from invoiced_pipeline_tests.processes import FORK_SERVER
from invoiced_pipeline_tests.warehouses import CHOICE, OPEN_FILES, SERVER, new_warehouse

NOW = 1_700_000_000
"""The emulator's clock in most tests: it stands still, so nothing depends on the time of day."""

SALT = "pepper"
"""Of hashed columns."""

START = datetime(2020, 1, 1, tzinfo=UTC)
SHORT_RETRIES = RetryPolicy(attempts=4, longest_wait=0.001, connect_seconds=5, read_seconds=5)

# A loaded machine is slow: no test fails for that.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow, too")
    parser.addoption(
        "--everywhere",
        action="store_true",
        help="repeat all tests of a warehouse on PostgreSQL, not only the quick ones",
    )
    parser.addoption(
        "--brief", action="store_true", help="draw a few random cases, the same each time"
    )
    parser.addoption(
        "--browser", action="store_true", help="run the tests that drive a browser: test-browser"
    )
    parser.addoption(
        "--warehouse",
        choices=["duckdb", "postgres"],
        help="run all tests on this kind of warehouse alone",
    )


def pytest_configure(config: pytest.Config) -> None:
    CHOICE.kind = config.getoption("--warehouse")
    if config.getoption("--brief"):
        draw_few()
    library_caches.install()
    collect_rarely()


def pytest_collection_finish() -> None:
    """Has the garbage collection, an eighth of all time otherwise, pass over what stays."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    gc.unfreeze()
    OPEN_FILES.close()
    FORK_SERVER.stop()
    SERVER.stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow: runs with --slow"))
        if "repeated" in item.keywords and not config.getoption("--everywhere"):
            item.add_marker(pytest.mark.skip(reason="PostgreSQL: runs with --everywhere"))
        if "random" in item.keywords and config.getoption("--brief"):
            item.add_marker(pytest.mark.skip(reason="random: left out with --brief"))
        if "browser" in item.keywords and not config.getoption("--browser"):
            item.add_marker(pytest.mark.skip(reason="browser: runs with make test-browser"))
        if CHOICE.kind == "postgres" and (reason := _why_a_file_alone(item)):
            item.add_marker(pytest.mark.skip(reason=f"a DuckDB file alone: {reason}"))


def _why_a_file_alone(item: pytest.Item) -> str | None:
    if mark := item.get_closest_marker("duckdb"):
        return str(mark.args[0])
    return "looks at the file itself" if "warehouse" in getattr(item, "fixturenames", ()) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives tests of a warehouse each kind of it; those that take the file are DuckDB's alone.

    On PostgreSQL, tests run with `--everywhere`, and those marked `everywhere` always;
    `--warehouse` names the only kind.
    """
    if "database" not in metafunc.fixturenames:
        return
    kinds: list[Any] = ["duckdb"]
    is_of_files = "warehouse" in metafunc.fixturenames
    is_of_files = is_of_files or metafunc.definition.get_closest_marker("duckdb")
    if CHOICE.kind == "postgres" and not is_of_files:
        kinds = ["postgres"]
    elif CHOICE.kind is None and not is_of_files:
        is_quick = metafunc.definition.get_closest_marker("everywhere")
        kinds.append(pytest.param("postgres", marks=[] if is_quick else [pytest.mark.repeated]))
    metafunc.parametrize("database", kinds, indirect=True)


def empty(emulator: Emulator) -> None:
    """Gives `emulator` a new account: no records, no faults, the settings of the beginning."""
    with emulator.store.transaction():
        for name in ("records", "bodies", "event_links", "sequences", "replays"):
            emulator.store.execute(f"DELETE FROM {name}")
    emulator.faults.clear()
    emulator.faults.latency_ms = 0
    emulator.faults.status5xx = 500
    emulator.clock.set(NOW)
    emulator.on_request = None
    emulator.keys.clear()
    emulator.keys[emulator.api_key] = "active"
    for option in dataclasses.fields(Account):
        setattr(emulator.account, option.name, getattr(Account(), option.name))
    emulator.forget()


@pytest.fixture(scope="session")
def _server() -> Iterator[Emulator]:
    with Emulator(clock=Clock(NOW)) as emulator:
        yield emulator


@pytest.fixture
def emulator(_server: Emulator) -> Emulator:
    """An empty account over HTTP."""
    empty(_server)
    return _server


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """A DuckDB file that does not exist yet, with the default name."""
    return tmp_path / "invoiced.duckdb"


@pytest.fixture
def client(emulator: Emulator) -> Iterator[InvoicedClient]:
    """A client of the emulator that does not wait long between tries."""
    client = InvoicedClient(emulator.url, SecretStr(emulator.api_key), retry_policy=SHORT_RETRIES)
    yield client
    client.close()


@dataclass
class Replica:
    """The way of a run from API to warehouse, as the Dagster op goes it."""

    url: str
    api_key: str
    database: Database
    dataset: str = "invoiced"
    tables: dict[str, Any] = field(default_factory=dict)
    """What is set in `[connection.tables]`."""
    listed: Mapping[str, Identifiers] = field(default_factory=dict)
    """What the last full refresh has listed, for the sweep after it."""
    keeps_open: bool = False
    """Whether a file stays open after the first load, until `OPEN_FILES.close()`."""

    def settings(self) -> Settings:
        return Settings.model_validate(
            {"connection": [{"tables": self.tables}], "secrets": {"INVOICED_HASH_SALT": SALT}}
        )

    def asked(self, *names: str) -> dict[str, Any]:
        """What a request says of its tables: those named, else all that are selected."""
        settings = self.settings()
        selected = tables_of(settings, settings.first)
        every = {table.name: table for table in all_tables_of(settings.first)}
        return {
            "tables": tuple(every[name] for name in names) or selected,
            "selected": frozenset(table.name for table in selected),
            "privacy": privacy_of(settings.first, settings.hash_salt),
        }

    def __call__(
        self,
        *tables: str,
        mode: Mode = "sync",
        start: datetime = START,
        window: Window | None = None,
        overlap: timedelta = timedelta(minutes=5),
        connection: str = "Invoiced",
        host: str = "localhost",
        cadence: Cadence = "monthly",
        deletions: Deletions = "ignore",
        reject_share: float = 1.0,
    ) -> dict[str, TableReport]:
        """Loads `tables`, all when none is named, and returns their reports.

        Deletions only count where a test is about them: they cost requests.
        """
        client = InvoicedClient(self.url, SecretStr(self.api_key), retry_policy=SHORT_RETRIES)
        request = ReplicationRequest(
            **self.asked(*tables),
            mode=mode,
            start_date=start,
            window=window,
            overlap=overlap,
            cadence=cadence,
            connection=connection,
            host=host,
            run_id="run",
            reject_share=reject_share,
        )
        self.database.check_writable()
        marks = Marks(self.database, self.dataset, deletions)
        redactor = RowRedactor(self.database, self.dataset, request.privacy)
        noted = None if marks.are_ignored else marks
        replication = Replication(client, request, noted, redactor)
        pipeline = self.database.pipeline(self.dataset)
        pipeline.drop()
        try:
            load_replication(replication, pipeline, self.database)
            remove_expired(self.database, self.dataset, request, replication.reports)
        finally:
            replication.close()
            client.close()
            if self.keeps_open:
                OPEN_FILES.keep(self.database)
        self.listed = replication.listed
        return replication.reports

    def sweep(
        self,
        *tables: str,
        start: datetime = START,
        deletions: Deletions = "mark",
        max_share: float = 0.2,
        listed: Mapping[str, Identifiers] | None = None,
    ) -> Mapping[str, SweepReport]:
        """Sweeps `tables`, all when none is named, and returns their reports."""
        client = InvoicedClient(self.url, SecretStr(self.api_key), retry_policy=SHORT_RETRIES)
        request = ReplicationRequest(
            **self.asked(*tables),
            mode="full",
            start_date=start,
            connection="Invoiced",
            host="localhost",
        )
        marks = Marks(self.database, self.dataset, deletions)
        try:
            return sweep_dataset(client, request, marks, max_share=max_share, listed=listed)
        finally:
            client.close()

    def ok(self, *tables: str, **options: Any) -> dict[str, TableReport]:
        """The same; no table may have failed."""
        reports = self(*tables, **options)
        assert {name: report.error for name, report in reports.items() if report.error} == {}
        return reports

    def keep_views(self) -> None:
        """Creates the views in the dataset, as a run does after its load."""
        with self.database.session(self.dataset) as session:
            document_dataset(session, all_tables_of(self.settings().first), current_views=False)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query; tables go by their names alone."""
        with self.database.session(self.dataset, read_only=True) as session:
            return session.rows(sql)

    def rows(self, name: str, order: str = "") -> list[dict[str, Any]]:
        """Whole rows of a table."""
        names = self.columns(name)
        order = order or ", ".join(f'"{column}"' for column in names[:2])
        listed = ", ".join(f'"{column}"' for column in names)
        found = self.query(f'select {listed} from "{name}" order by {order}')
        return [dict(zip(names, row, strict=True)) for row in found]

    def existing(self) -> frozenset[str]:
        """The tables and views of the dataset."""
        if not self.database.exists():
            return frozenset()
        with self.database.session(self.dataset, read_only=True) as session:
            return session.tables()

    def columns(self, name: str) -> list[str]:
        """The columns of a table, in their order."""
        sql = (
            "select column_name from information_schema.columns "
            f"where table_schema = '{self.dataset}' and table_name = '{name}' "
            "order by ordinal_position"
        )
        return [column for (column,) in self.query(sql)]

    def row(self, name: str) -> dict[str, Any]:
        """The only row of a table."""
        (row,) = self.rows(name)
        return row

    def ids(self, name: str) -> list[Any]:
        """The ids of a table, sorted; one that came twice is there twice."""
        return [row[0] for row in self.query(f'select id from "{name}" order by id')]


@pytest.fixture(autouse=True)
def _no_waiting_for_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that stay open elsewhere are refused at once; tests of the waiting set their own."""
    monkeypatch.setattr("invoiced_pipeline.warehouse.duckdb.connection.WAIT_SECONDS", 0.0)


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A PostgreSQL server for this process's tests."""
    return SERVER.url


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """The warehouse, empty: each kind in its turn."""
    with new_warehouse(tmp_path, request.param) as database:
        yield database


@pytest.fixture
def sql_client(database: Database) -> type:
    """Through which dlt runs the statements of a load."""
    return sql_client_of(database)


def sql_client_of(database: Database) -> type:
    """Through which dlt runs the statements of a load."""
    if database.kind == "duckdb":
        return QualifiedSqlClient
    from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

    return Psycopg2SqlClient


@pytest.fixture
def replicate(
    emulator: Emulator, database: Database, request: pytest.FixtureRequest
) -> Iterator[Replica]:
    """Loads tables from the emulator into the warehouse and reads them back.

    The file stays open meanwhile, except where a test is about it.
    """
    keeps_open = "warehouse" not in request.fixturenames
    yield Replica(emulator.url, emulator.api_key, database, keeps_open=keeps_open)
    OPEN_FILES.close()


@pytest.fixture
def rows(replicate: Replica) -> Callable[[str], list[dict[str, Any]]]:
    """Reads a table of the warehouse as a list of dicts."""
    return replicate.rows


def customer(record_id: int, updated_at: int | None = NOW - 1000, **fields: Any) -> dict[str, Any]:
    """A customer record."""
    record = {"id": record_id, "object": "customer", "name": f"Customer {record_id}"}
    return record | {"number": f"C-{record_id}", "metadata": {}, "updated_at": updated_at} | fields


def invoice(record_id: int, updated_at: int | None = NOW - 1000, **fields: Any) -> dict[str, Any]:
    """An invoice record without line items."""
    record = {"id": record_id, "object": "invoice", "number": f"INV-{record_id}", "items": []}
    return record | {"total": 100, "updated_at": updated_at} | fields


def items(count: int, name: str = "line") -> list[dict[str, Any]]:
    """Line items with different names and positions."""
    return [
        {"id": position + 1, "object": "line_item", "name": f"{name} {position}", "amount": 1}
        for position in range(count)
    ]
