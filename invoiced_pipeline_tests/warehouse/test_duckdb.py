"""The DuckDB file: its problems are reported before an hour of reading."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from invoiced_pipeline.exceptions import (
    ConfigurationError,
    InvoicedPipelineError,
    WarehouseBusyError,
    WarehouseError,
    WarehouseNotWritableError,
)
from invoiced_pipeline.warehouse.dataset import row_counts
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.load_errors import load_error

pytestmark = pytest.mark.duckdb("its own messages and its own file")

OPEN = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reading")
print("open", flush=True)
sys.stdin.readline()
"""
CHECK = """
import os
import sys
from pathlib import Path
import duckdb
# All that is imported later on, too: the other user may not read this installation.
import invoiced_pipeline.warehouse.duckdb.file
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
duckdb.connect().close()
if os.geteuid() == 0:  # root may write everywhere, so another user tries
    os.setuid(65534)
try:
    if sys.argv[1] == "lock":
        with DuckDbDatabase(Path(sys.argv[2])).writer_lock("invoiced", "run"):
            pass
    else:
        DuckDbDatabase(Path(sys.argv[2])).check_writable()
except Exception as error:
    print(type(error).__name__, error)
"""


def test_new_file_in_a_new_folder_is_fine(tmp_path: Path) -> None:
    DuckDbDatabase(tmp_path / "new" / "x.duckdb").check_writable()
    DuckDbDatabase(tmp_path / "new" / "x.duckdb").check_writable()


def test_check_leaves_nothing_behind(warehouse: Path) -> None:
    DuckDbDatabase(warehouse).check_writable()
    with duckdb.connect(str(warehouse)) as connection:
        assert connection.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]
        schemas = connection.execute("select schema_name from duckdb_schemas()").fetchall()
    assert ("_probe",) not in schemas


# The name of the folder must not decide what is said.
@pytest.mark.parametrize("folder", ["plain", "locks and blocks"])
@pytest.mark.parametrize("content", [b"no database at all", b"\x00" * 20_000])
def test_damaged_file_is_reported(tmp_path: Path, folder: str, content: bytes) -> None:
    path = tmp_path / folder / "x.duckdb"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(WarehouseNotWritableError, match=r"x\.duckdb"):
        DuckDbDatabase(path).check_writable()
    assert path.read_bytes() == content


def test_folder_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").mkdir()
    with pytest.raises(WarehouseNotWritableError, match=r"x\.duckdb"):
        DuckDbDatabase(tmp_path / "x.duckdb").check_writable()


@pytest.mark.parametrize("how", ["reading", "writing"])
def test_file_that_another_program_has_open_is_reported(warehouse: Path, how: str) -> None:
    duckdb.connect(str(warehouse)).close()
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", OPEN, str(warehouse), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(WarehouseBusyError, match=str(process.pid)):
            DuckDbDatabase(warehouse).check_writable()
    finally:
        process.communicate("\n")
    DuckDbDatabase(warehouse).check_writable()


@pytest.fixture
def someone_elses() -> Iterator[Path]:
    """A folder that everyone may read, with a warehouse that only its owner may write."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.duckdb"
        duckdb.connect(str(path)).close()
        path.chmod(0o444)
        path.parent.chmod(0o555)
        yield path
        path.parent.chmod(0o755)


@pytest.mark.parametrize("step", ["lock", "check"])
def test_missing_permission_is_reported(someone_elses: Path, step: str) -> None:
    said = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", CHECK, step, str(someone_elses)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout.startswith("WarehouseNotWritableError Cannot write"), said
    assert str(someone_elses.parent) in said.stdout
    assert "permissions" in said.stdout


def test_counts_of_tables_that_do_not_exist(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema invoiced; create table invoiced.invoiced.plans(id int)")
        connection.execute("insert into invoiced.invoiced.plans values (1), (2)")
    counts = row_counts(DuckDbDatabase(warehouse), "invoiced", ["plans", "invoices"])
    assert counts == {"plans": 2, "invoices": 0}
    assert row_counts(DuckDbDatabase(warehouse), "another", ["plans"]) == {"plans": 0}


def chained(*errors: BaseException) -> BaseException:
    """Returns the last error, chained to the ones before it."""
    for cause, effect in pairwise(errors):
        effect.__cause__ = cause
    return errors[-1]


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (chained(ConfigurationError("ours"), RuntimeError("step")), ConfigurationError, "ours"),
        (
            chained(
                duckdb.IOException("IO Error: Could not set lock on file"), RuntimeError("step")
            ),
            WarehouseBusyError,
            "opened",
        ),
        (
            chained(OSError(28, "No space left on device"), RuntimeError("step")),
            WarehouseNotWritableError,
            "No space left",
        ),
        (
            chained(duckdb.IOException("IO Error: disk"), RuntimeError("x")),
            WarehouseNotWritableError,
            "disk",
        ),
        (chained(ValueError("odd"), RuntimeError("step")), WarehouseError, "ValueError: odd"),
        (RuntimeError("alone"), WarehouseError, "alone"),
    ],
)
def test_failed_steps_name_their_cause(
    error: BaseException, kind: type[InvoicedPipelineError], said: str
) -> None:
    found = load_error(error, DuckDbDatabase(Path("x.duckdb")))
    assert type(found) is kind
    assert said in str(found)
