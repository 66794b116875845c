"""The prompt of `invoiced-pipeline sql`."""

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
    """Reads and runs queries until the end of input; an error of a query does not end the prompt.

    Args:
        run: Runs a query and shows its rows.
        dataset: The dataset of the tables.
        label: The warehouse, as messages name it.
    """
    with contextlib.suppress(ImportError):  # some builds of Python have no readline
        import readline  # noqa: F401 - gives `input` its history and keys

    say(console, f"Tables of {dataset} in {label}, read-only.")
    say(console, f"{_HELP}\nThe warehouse is open only while a query runs, so syncs can run.")
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
    """Runs a query, or shows why it fails."""
    try:
        run(query)
    except InvoicedPipelineError as error:
        say(errors, str(error), style="red")
    except KeyboardInterrupt:
        say(errors, "Cancelled.", style="red")


def _described(command: str, dataset: str) -> str:
    r"""Returns the query behind `\d` and `\d NAME`; that of `\d` for any other command."""
    name = command.partition(" ")[2].strip()
    if not name:
        return _TABLES.format(dataset=dataset)
    return _COLUMNS.format(dataset=dataset, name=name.replace("'", "''"))
