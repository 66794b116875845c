"""The format of the DuckDB file: set when it is created, changed only by `move`."""

import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from invoiced_pipeline.exceptions import (
    ConfigurationError,
    WarehouseBusyError,
    WarehouseError,
    WarehouseNotWritableError,
)
from invoiced_pipeline.settings import StorageVersion, WarehouseSettings, load_settings
from invoiced_pipeline.warehouse.conversion import convert_file
from invoiced_pipeline.warehouse.duckdb import connection as file_connection
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.open import open_database

pytestmark = pytest.mark.duckdb("a server has no such file")

NUMBERS = {"v1.4.0": 67, "v1.5.0": 68}
"""Numbers in a file's header, by DuckDB's documentation; 2.0 writes none yet."""

SEVERAL = pytest.mark.skipif(
    duckdb.__version__ < "2", reason="the DuckDB that is installed writes no newer version"
)

CONTENTS = """
create schema marts;
create table invoices (id bigint primary key, total decimal(38, 10), metadata json);
create index by_total on invoices (total);
insert into invoices select i, i / 8, '{"a": [1]}' from range(50000) as numbers(i);
comment on table invoices is 'It''s a table';
comment on column invoices.total is 'Money';
create view _sync_status as select * from invoices where id < 3;
comment on view _sync_status is 'Made by invoiced-pipeline as 0123456789abcdef';
create view marts.large as select id from invoiced.invoices where total > 6000;
"""
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from invoiced_pipeline.warehouse.conversion import convert_file
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
shutil.copymode = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
convert_file(DuckDbDatabase(Path(sys.argv[1])), "v1.4.0")
"""
READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print(flush=True)
sys.stdin.readline()
"""


def header(file: Path) -> int:
    """The number in the file's header by which other versions recognise the format."""
    first = file.read_bytes()[:20]
    assert first[8:12] == b"DUCK"
    return struct.unpack("<Q", first[12:])[0]


def described(file: Path) -> list[list[tuple[object, ...]]]:
    """Rows, views, comments and indexes."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return [
            connection.execute(sql).fetchall()
            for sql in (
                "select * from invoiced.invoices order by id",
                "select * from invoiced._sync_status order by id",
                "select * from marts.large order by id",
                "select schema_name, table_name, comment from duckdb_tables() order by all",
                "select view_name, comment from duckdb_views() where not internal order by all",
                "select column_name, comment from duckdb_columns() "
                "where comment is not null order by all",
                "select index_name, is_unique from duckdb_indexes() order by all",
            )
        ]


def filled(file: Path, version: StorageVersion) -> DuckDbDatabase:
    database = DuckDbDatabase(file, version)
    with database.session("invoiced") as session:
        session.run(CONTENTS)
    return database


def by_session(database: DuckDbDatabase) -> None:
    with database.session("invoiced") as session:
        session.run("create table if not exists something (id bigint)")


def by_load(database: DuckDbDatabase) -> None:
    database.pipeline("invoiced").run([{"id": 1}], table_name="things")


def by_load_after_check(database: DuckDbDatabase) -> None:
    database.check_writable()
    by_load(database)
    database.check_writable()


@pytest.mark.parametrize("version", ["v1.4.0", pytest.param("v1.5.0", marks=SEVERAL)])
@pytest.mark.parametrize("make", [by_session, by_load, by_load_after_check])
def test_every_way_of_creating_the_file_sets_its_version(
    tmp_path: Path, make: Callable[[DuckDbDatabase], None], version: StorageVersion
) -> None:
    file = tmp_path / "it's a warehouse.duckdb"
    make(DuckDbDatabase(file, version))
    assert header(file) == NUMBERS[version]
    # Later commands with another setting do not change it.
    other = DuckDbDatabase(file, "v2.0.0")
    by_session(other)
    by_load(other)
    assert header(file) == NUMBERS[version]
    assert other.storage_format().version == version


@SEVERAL
def test_the_setting_decides_and_by_default_duckdb_1_4_can_open_it(tmp_path: Path) -> None:
    default = open_database(WarehouseSettings(path=tmp_path / "default.duckdb"))
    assert isinstance(default, DuckDbDatabase)
    by_load(default)
    assert header(tmp_path / "default.duckdb") == NUMBERS["v1.4.0"]
    assert default.storage_format().readers == "DuckDB 1.4 and newer"

    (tmp_path / "invoiced.toml").write_text("[warehouse]\nstorage_version = 'v1.5.0'\n")
    settings = load_settings({}, tmp_path).warehouse
    named = open_database(settings.model_copy(update={"path": tmp_path / "named.duckdb"}))
    with named.session("invoiced"):
        pass
    assert header(tmp_path / "named.duckdb") == NUMBERS["v1.5.0"]

    (tmp_path / "invoiced.toml").write_text("[warehouse]\nstorage_version = '1.4'\n")
    with pytest.raises(ConfigurationError, match=r"storage_version.*v1\.4\.0"):
        load_settings({}, tmp_path)


@SEVERAL
def test_a_run_in_dagster_creates_the_file_in_the_version_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from invoiced_pipeline.defs.resources import Warehouse

    monkeypatch.chdir(tmp_path)
    (tmp_path / "invoiced.toml").write_text("[warehouse]\nstorage_version = 'v1.5.0'\n")
    with Warehouse(path="x.duckdb").database.session("invoiced"):
        pass
    assert header(tmp_path / "x.duckdb") == NUMBERS["v1.5.0"]


def test_a_version_that_the_installed_duckdb_cannot_write_is_reported(tmp_path: Path) -> None:
    database = DuckDbDatabase(tmp_path / "x.duckdb", "v9.9.0")  # pyright: ignore[reportArgumentType]
    for make in (by_session, by_load):
        with pytest.raises(WarehouseNotWritableError, match=r"cannot write storage version v9\.9"):
            make(database)
    assert not database.exists()


@pytest.mark.parametrize("version", ["v1.4.0", pytest.param("v2.0.0", marks=SEVERAL)])
def test_rewrite_keeps_version_and_contents(tmp_path: Path, version: StorageVersion) -> None:
    database = filled(tmp_path / "warehouse.duckdb", version)
    before = header(tmp_path / "warehouse.duckdb"), described(tmp_path / "warehouse.duckdb")
    # The settings may name another version: it is for new files.
    DuckDbDatabase(tmp_path / "warehouse.duckdb").rewrite("invoiced")
    assert (header(tmp_path / "warehouse.duckdb"), described(tmp_path / "warehouse.duckdb")) == (
        before
    )
    assert database.storage_format().version == version


@SEVERAL
def test_conversion_changes_the_version_alone(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    database = filled(file, "v2.0.0")
    file.chmod(0o640)
    pin = database.beside("invoiced.start_date")
    pin.write_text("2020-01-01\n")
    before = described(file)
    done = convert_file(DuckDbDatabase(file), "v1.4.0")
    assert (done.before.version, done.after.version) == ("v2.0.0", "v1.4.0")
    assert (done.before.readers, done.after.readers) == (
        "DuckDB 2.0 and newer",
        "DuckDB 1.4 and newer",
    )
    assert (header(file), described(file)) == (NUMBERS["v1.4.0"], before)
    assert file.stat().st_mode & 0o777 == 0o640
    assert pin.read_text() == "2020-01-01\n"
    assert {path.name for path in tmp_path.iterdir()} <= {file.name, pin.name, f"{file.name}.lock"}
    at = file.stat().st_mtime_ns
    again = convert_file(DuckDbDatabase(file), "v1.4.0")
    assert again.before == again.after
    assert file.stat().st_mtime_ns == at


@SEVERAL
def test_conversion_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    file, link = tmp_path / "disk" / "warehouse.duckdb", tmp_path / "warehouse.duckdb"
    filled(file, "v2.0.0")
    link.symlink_to(file)
    convert_file(DuckDbDatabase(link), "v1.4.0")
    assert link.is_symlink()
    assert header(file) == NUMBERS["v1.4.0"]


@SEVERAL
def test_a_killed_conversion_leaves_the_file_and_can_be_repeated(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    filled(file, "v2.0.0")
    before = file.read_bytes()
    command = [sys.executable, "-c", KILLED, str(file)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL  # noqa: S603
    assert file.read_bytes() == before
    assert file.with_name(f"{file.name}.new").exists()
    file.with_name(f"{file.name}.new.wal").write_bytes(b"left behind")
    rows = described(file)
    convert_file(DuckDbDatabase(file), "v1.4.0")
    assert (header(file), described(file)) == (NUMBERS["v1.4.0"], rows)


@SEVERAL
def test_errors_of_a_conversion_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_connection, "WAIT_SECONDS", 0.0)
    file = tmp_path / "warehouse.duckdb"
    with pytest.raises(WarehouseError, match="There is no"):
        convert_file(DuckDbDatabase(file), "v1.4.0")
    database = filled(file, "v2.0.0")
    before = file.read_bytes()
    with (
        database.writer_lock("invoiced", "run-1"),
        pytest.raises(WarehouseBusyError, match="run-1"),
    ):
        convert_file(DuckDbDatabase(file), "v1.4.0")
    reader = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", READER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert reader.stdout is not None
        reader.stdout.readline()
        with pytest.raises(WarehouseBusyError, match="Close it"):
            convert_file(DuckDbDatabase(file), "v1.4.0")
    finally:
        reader.kill()
        reader.communicate()
    monkeypatch.setattr("shutil.copymode", full_disk)
    with pytest.raises(WarehouseError, match=r"is unchanged: .*No space left"):
        convert_file(DuckDbDatabase(file), "v1.4.0")
    assert file.read_bytes() == before
    assert not file.with_name(f"{file.name}.new").exists()


def test_a_file_of_a_newer_duckdb_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = filled(tmp_path / "x.duckdb", "v1.4.0")
    monkeypatch.setattr(duckdb, "connect", refuse_newer)
    asked = "Install the newest duckdb, or convert"
    with pytest.raises(WarehouseNotWritableError, match=asked):
        database.check_writable()
    with pytest.raises(WarehouseError, match=asked), database.session("invoiced"):
        pass


def refuse_newer(*_: object, **__: object) -> None:
    message = "The database file was created with a newer version of DuckDB."
    raise duckdb.IOException(message)


def full_disk(*_: object) -> None:
    raise OSError("No space left on device")
