"""The staging models, generated from the catalog: `python -m invoiced_pipeline.models.staging`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from invoiced_pipeline.catalog import Column, ColumnType, ForeignKey, Table, table
from invoiced_pipeline.catalog.descriptions import DELETED_AT, day_of
from invoiced_pipeline.models.project import PROJECT

FOLDER = PROJECT / "models" / "staging"

TABLES = (
    "customers",
    "invoices",
    "credit_notes",
    "estimates",
    "subscriptions",
    "plans",
    "transactions",
    "payments",
    "credit_balance_adjustments",
    "items",
    "coupons",
    "tax_rates",
    "notes",
    "tasks",
    "charges",
    "refunds",
)
"""Tables with a staging model."""

CHILDREN = (("payments", "applied_to"),)
"""Child tables with a staging model, as their table and array."""

_SINGULARS = {"applied_to": "transaction"}
"""What the `id` in an array names."""

_NOTE = "Generated from the catalog by `make docs`: edit the catalog instead."
_SQL_TYPES: Mapping[ColumnType, str] = {
    "bigint": "bigint",
    "text": "text",
    "boolean": "boolean",
    "decimal": "decimal(38, 10)",
    "timestamp": "timestamp with time zone",
}


@dataclass(frozen=True, slots=True)
class StagedColumn:
    """A column of a staging model.

    Attributes:
        source: The column of the table.
        name: Its name in the model.
        sql: The expression that makes it.
    """

    source: Column
    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class StagedTable:
    """A table and its staging model.

    Attributes:
        name: Name of the table in the warehouse.
        description: What one row is.
        columns: The model's columns.
        key: Names of the model's columns that identify a row.
    """

    name: str
    description: str
    columns: tuple[StagedColumn, ...]
    key: tuple[str, ...]

    @property
    def model(self) -> str:
        """The name of its model."""
        return f"stg_invoiced__{self.name}"


def staged_tables() -> list[StagedTable]:
    """Returns all tables that have a staging model."""
    found = [_staged(table(name)) for name in TABLES]
    for name, array in CHILDREN:
        parent = table(name)
        (child,) = [each for each in parent.children if each.array == array]
        key = Column(parent.parent_column, "bigint", f"ID of the {parent.singular}.")
        index = Column("_index", "bigint", f"Position of the element in {array}, from 0.")
        columns = [
            StagedColumn(key, key.name, f'"{key.name}"'),
            StagedColumn(index, "position", '"_index"'),
            *_columns(child.columns, _SINGULARS[array], child.joins),
        ]
        found.append(
            StagedTable(
                parent.child_name(child), child.description, tuple(columns), (key.name, "position")
            )
        )
    return found


def files() -> dict[Path, str]:
    """Returns the text of every generated file."""
    tables = staged_tables()
    return {
        **{FOLDER / f"{each.model}.sql": _model_sql(each) for each in tables},
        FOLDER / "_invoiced__sources.yml": _sources(tables),
        FOLDER / "_stg_invoiced__models.yml": _models(tables),
        FOLDER / "_invoiced__columns.md": _columns_text(tables),
    }


def _staged(of: Table) -> StagedTable:
    columns = _columns(of.columns, of.singular, (*of.foreign_keys, *of.joins))
    return StagedTable(of.name, of.description, tuple(columns), (f"{of.singular}_id",))


def _columns(
    columns: Sequence[Column], singular: str, keys: Sequence[ForeignKey]
) -> Iterator[StagedColumn]:
    """Yields the columns that a staging model keeps: no JSON, and no column twice."""
    relations = {key.column for key in keys if key.column != "id"}
    for column in columns:
        if column.type == "json" or column.twin:
            continue
        yield StagedColumn(column, _name(column.name, singular, relations), _sql(column))


def _name(name: str, singular: str, relations: set[str]) -> str:
    if name in {"id", "date"}:
        return f"{singular}_{name}"
    return f"{name}_id" if name in relations and not name.endswith("_id") else name


def _sql(column: Column) -> str:
    if column.is_day:
        return day_of(column.name)
    return f'to_timestamp("{column.name}")' if column.is_epoch else f'"{column.name}"'


def _model_sql(of: StagedTable) -> str:
    types = {each.source.name: _SQL_TYPES[each.source.type] for each in of.columns}
    types[DELETED_AT] = _SQL_TYPES["timestamp"]
    listed = ",\n".join(f"    '{name}': '{type_}'" for name, type_ in types.items())
    selected = ",\n".join(
        f"    {each.sql}" if each.sql == f'"{each.name}"' else f"    {each.sql} as {each.name}"
        for each in of.columns
    )
    return f"""\
-- {_NOTE}
{{% set columns = {{
{listed}
}} %}}

with available as (
    {{{{ dbt_invoiced.available_rows(source('invoiced', '{of.name}'), columns) }}}}
)

select
{selected}
from available
where {DELETED_AT} is null
"""  # noqa: S608 - our own names


def _sources(tables: Sequence[StagedTable]) -> str:
    lines = [
        f"# {_NOTE}",
        "version: 2",
        "",
        "sources:",
        "  - name: invoiced",
        "    description: Tables of an Invoiced account, loaded by invoiced_pipeline.",
        "    database: \"{{ var('invoiced_database', target.database) }}\"",
        "    schema: \"{{ var('invoiced_schema') }}\"",
        "    tables:",
    ]
    for each in tables:
        lines += [f"      - name: {each.name}", f"        description: {_quoted(each.description)}"]
        lines.append("        columns:")
        for column in each.columns:
            lines += [
                f"          - name: {column.source.name}",
                f"            description: \"{{{{ doc('{_doc(each, column)}') }}}}\"",
            ]
    return "\n".join([*lines, ""])


def _models(tables: Sequence[StagedTable]) -> str:
    lines = [f"# {_NOTE}", "version: 2", "", "models:"]
    for each in tables:
        text = f"{each.description} Rows of records deleted in Invoiced are left out."
        lines += [f"  - name: {each.model}", f"    description: {_quoted(text)}"]
        lines += [
            "    data_tests:",
            "      - is_key:",
            "          arguments:",
            f"            columns: [{', '.join(each.key)}]",
        ]
        lines.append("    columns:")
        for column in each.columns:
            lines += [
                f"      - name: {column.name}",
                f"        data_type: {_data_type(column.source)}",
                f"        description: \"{{{{ doc('{_doc(each, column)}') }}}}\"",
            ]
    return "\n".join([*lines, ""])


def _columns_text(tables: Sequence[StagedTable]) -> str:
    """Returns dbt's doc blocks, which models of all layers use for columns that pass through."""
    blocks = [f"<!-- {_NOTE} -->"]
    for each in tables:
        for column in each.columns:
            name = _doc(each, column)
            blocks.append(f"{{% docs {name} %}}\n{column.source.description}\n{{% enddocs %}}")
    return "\n\n".join([*blocks, ""])


def _doc(of: StagedTable, column: StagedColumn) -> str:
    return f"{of.name}__{column.name.lstrip('_')}"


def _data_type(column: Column) -> str:
    return "date" if column.is_day else _SQL_TYPES["timestamp" if column.is_epoch else column.type]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write() -> None:
    """Writes all generated files, and removes those of tables that are no longer staged."""
    wanted = files()
    for path in FOLDER.glob("*"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
