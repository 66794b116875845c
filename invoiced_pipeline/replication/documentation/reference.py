"""docs/schema.md, generated from the catalog by `make docs`."""

import hashlib
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from invoiced_pipeline.catalog import ALL_TABLES, ChildTable, Column, ForeignKey, Table
from invoiced_pipeline.catalog.descriptions import column_text, companions
from invoiced_pipeline.catalog.system_tables import DLT_TABLES, OWN_TABLES, SystemTable
from invoiced_pipeline.replication.decode.columns import child_columns, parent_columns
from invoiced_pipeline.replication.documentation.dataset import descriptions
from invoiced_pipeline.replication.documentation.er_diagram import dot, mermaid
from invoiced_pipeline.warehouse.history_views import HISTORY_COLUMNS

DOCUMENT = Path(__file__).parents[3] / "docs" / "schema.md"
PICTURE = DOCUMENT.parent / "images" / "schema.svg"
GUIDE = DOCUMENT.parent / "parts" / "schema.md"
"""The text above the diagram; everything else comes from the catalog."""

_TYPES: Mapping[str, str] = {"decimal": "decimal(38,10)", "timestamp": "timestamptz"}


def render() -> str:
    """Returns the whole document."""
    parts = [
        GUIDE.read_text(encoding="utf-8").strip(),
        "## Keys and joins",
        "PK is the primary key, FK holds the key of another table. A child table's key is its "
        "parent's id with `_index`. `id` in `payments__applied_to` and in "
        "`credit_balance_adjustments` is also the `id` of a transaction.",
        "![Tables with their keys, and which column joins which table](images/schema.svg)",
        "<details><summary>The same as text, with child tables apart (Mermaid)</summary>\n",
        f"```mermaid\n{mermaid()}\n```",
        "</details>",
        "## Statuses that are open",
        _open_statuses(),
        "## Twin columns",
        "The API sends some ids twice, under two names. Both are always equal: use either.",
        _twins(),
        "## Tables",
        *(_table(table) for table in ALL_TABLES),
        "## Histories",
        _histories(),
        "## System tables",
        "This project's own tables, in the same dataset as the data.",
        *(_system_table(each) for each in OWN_TABLES),
        "### dlt's tables",
        "The loader's own. You may read them, but never change them.",
        *(_system_table(each, level="####") for each in DLT_TABLES),
    ]
    return "\n\n".join(parts) + "\n"


def draw(graphviz: str) -> str:
    """Returns the picture as SVG, drawn by the program `graphviz`, with the diagram's digest."""
    svg = subprocess.run(  # noqa: S603 - the caller names the program
        [graphviz, "-Tsvg"], input=dot(), capture_output=True, text=True, check=True
    ).stdout
    svg = svg.replace("Helvetica,sans-Serif", "Helvetica,Arial,Liberation Sans,sans-serif")
    return svg.replace("<svg ", f"<!-- {mark()} -->\n<svg ", 1)


def mark() -> str:
    """Returns the picture's comment with the digest of the diagram that it shows."""
    digest = hashlib.blake2b(dot().encode(), digest_size=8).hexdigest()
    return f"Made from the catalog by make docs, as {digest}"


def _open_statuses() -> str:
    rows = [
        (
            f"`{table.name}`",
            ", ".join(f"`{status}`" for status in table.open_statuses),
        )
        for table in ALL_TABLES
        if table.open_statuses
    ]
    return _grid(("table", "open"), rows)


def _twins() -> str:
    rows = [
        (f"`{table.name}`", f"`{column.name}`", f"`{column.twin}`")
        for table in ALL_TABLES
        for column in table.columns
        if column.twin
    ]
    return _grid(("table", "column", "is always equal to"), rows)


def _table(table: Table) -> str:
    keys = (*table.foreign_keys, *table.joins)
    parts = [
        f"### {table.name}",
        f"{table.description} [API reference]({table.docs_url})",
        f"Primary key: `{table.primary_key}`. {_joins(table, keys)}".strip(),
        _columns(parent_columns(table), keys),
    ]
    return "\n\n".join([*parts, *(_child(table, child) for child in table.children)])


def _joins(table: Table, keys: Iterable[ForeignKey]) -> str:
    joins = [f"`{key.column}` = `{key.table}.id`" for key in keys]
    joins += [
        f"`{table.primary_key}` = `{table.child_name(child)}.{table.parent_column}`"
        for child in table.children
    ]
    return f"Joins: {', '.join(joins)}." if joins else ""


def _child(table: Table, child: ChildTable) -> str:
    return "\n\n".join(
        [
            f"#### {table.child_name(child)}",
            f"{child.description} Primary key: `{table.parent_column}`, `_index`.",
            _columns(child_columns(table, child), child.joins),
        ]
    )


def _columns(columns: Iterable[Column], keys: tuple[ForeignKey, ...]) -> str:
    columns = tuple(columns)
    rows = [
        (f"`{column.name}`", _TYPES.get(column.type, column.type), column_text(column, keys))
        for column in columns
    ]
    rows += [
        (f"`{each.name}`", each.type, f"{each.description} Only in the view of current rows.")
        for each in companions(columns)
    ]
    return _grid(("column", "type", "holds"), rows)


def _histories() -> str:
    tables = ", ".join(f"`{table.name}`" for table in ALL_TABLES if table.can_keep_history)
    rows = [(f"`{name}`", text) for name, text in HISTORY_COLUMNS.items()]
    return (
        "With `history = true` ([history.md](history.md)), a table has a view "
        "`<table>__history`: one row per version of a record, with all columns of the table and "
        f"these. It reads the table `<table>__versions`. Possible for {tables}.\n\n"
        f"{_grid(('column', 'holds'), rows)}"
    )


def _system_table(table: SystemTable, level: str = "###") -> str:
    columns = descriptions(())[table.name].columns
    rows = [(f"`{name}`", text) for name, text in columns.items() if name != "_dlt_load_id"]
    return f"{level} {table.name}\n\n{table.description}\n\n{_grid(('column', 'holds'), rows)}"


def _grid(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    return "\n".join(_lines(tuple(header), rows))


def _lines(header: tuple[str, ...], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
    for program in sys.argv[1:]:
        PICTURE.write_text(draw(program), encoding="utf-8")
