"""The prompt of `invoiced-pipeline sql`: queries are typed, and run one after another."""

import contextlib
from collections.abc import Callable

from invoiced_pipeline.commands.common.console import console, errors, say
from invoiced_pipeline.exceptions import InvoicedPipelineError

_HELP = r"""End a query with ; and press Enter.
  \d        tables and views
  \d NAME   columns of a table or view
  \q        leave (Ctrl-D)"""

_LEAVE = {"\\q", "quit", "exit"}

_TABLES = """
    select table_name, table_type from information_schema.tables
    where table_schema = '{dataset}' order by table_name;"""
_COLUMNS = """
    select column_name, data_type from information_schema.columns
    where table_schema = '{dataset}' and table_name = '{name}' order by ordinal_position;"""


def prompt(run: Callable[[str], None], dataset: str, label: str) -> None:
    """Reads queries until the end of input; an error of one is shown, and the next is read.

    Args:
        run: Runs a query and shows its rows.
        dataset: Whose tables they see.
        label: What to call the warehouse.
    """
    with contextlib.suppress(ImportError):  # Python may be built without it
        import readline  # noqa: F401 - gives `input` its history and keys

    say(console, f"Tables of {dataset} in {label}, for reading only.")
    say(console, f"{_HELP}\nThe warehouse is open only while a query runs: a sync can go on.")
    lines: list[str] = []
    while True:
        try:
            line = input("   ...> " if lines else f"{dataset}> ").strip()
        except EOFError:
            console.print()
            return
        except KeyboardInterrupt:
            console.print()
            lines.clear()
            continue
        if not lines and line.removesuffix(";").lower() in _LEAVE:
            return
        if not lines and line.startswith("\\"):
            lines.append(_described(line.removesuffix(";"), dataset))
        elif line or lines:
            lines.append(line)
        if lines and lines[-1].endswith(";"):
            _try(run, "\n".join(lines))
            lines.clear()


def _try(run: Callable[[str], None], query: str) -> None:
    """Runs a query; where it fails, says why."""
    try:
        run(query)
    except InvoicedPipelineError as error:
        say(errors, str(error), style="red")
    except KeyboardInterrupt:
        say(errors, "Cancelled.", style="red")


def _described(command: str, dataset: str) -> str:
    r"""The query behind `\d`; for any other command, the tables."""
    name = command.partition(" ")[2].strip()
    if not name:
        return _TABLES.format(dataset=dataset)
    return _COLUMNS.format(dataset=dataset, name=name.replace("'", "''"))
