"""The tables' neighbours in the asset graph: the account, child tables, histories, write-backs.

They are external assets, which are shown and never materialized: otherwise every run would record
an event per partition for each of them.
"""

from collections.abc import Sequence

import dagster as dg

from invoiced_pipeline.catalog import ChildTable, Column, Table
from invoiced_pipeline.catalog.operations import operation
from invoiced_pipeline.defs.descriptions import paragraphs
from invoiced_pipeline.defs.names import (
    account_key,
    asset_key,
    group_name,
    table_key,
    writeback_job_name,
    writeback_key,
    written_account_key,
)
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.sync.asset_specs import column_schema
from invoiced_pipeline.replication.decode.columns import (
    DELETED_AT,
    INDEX,
    PARENT_VERSION,
    TOMBSTONE,
    child_columns,
    parent_columns,
)
from invoiced_pipeline.settings import (
    ConnectionSettings,
    Destination,
    Settings,
    WritebackSettings,
)
from invoiced_pipeline.settings.addresses import PRODUCTION_URL, SANDBOX_URL
from invoiced_pipeline.warehouse.history_views import HISTORY_COLUMNS, history_text
from invoiced_pipeline.writeback.source.tables import checked_tables, source_tables

_WEB_PAGES = {
    PRODUCTION_URL: "https://app.invoiced.com",
    SANDBOX_URL: "https://app.sandbox.invoiced.com",
}


def lineage_specs(settings: Settings, dataset: ReplicatedDataset) -> list[dg.AssetSpec]:
    """Returns the external assets of a connection, in the group of its tables.

    The account appears twice, because a graph of assets has no cycles: upstream of the tables,
    which are read from it, and downstream of the write-backs, which change it.

    Args:
        settings: All settings.
        dataset: The tables.
    """
    connection, destination = dataset.connection, settings.warehouse.destination
    children = [
        _child_spec(connection, table, child, destination)
        for table in dataset.tables
        for child in table.children
    ]
    writebacks = [
        each for each in settings.writeback if settings.find(each.connection) == connection
    ]
    histories = [
        _history_spec(connection, table, destination)
        for table in dataset.tables
        if table.keeps_history
    ]
    specs = [_account_spec(connection), *children, *histories]
    if writebacks:
        specs += [_writeback_spec(connection, each, dataset.tables) for each in writebacks]
        specs.append(_written_account_spec(connection, writebacks))
    return [
        spec.replace_attributes(
            group_name=group_name(connection),
            owners=connection.owners,
            tags={**spec.tags, **connection.tags},
        )
        for spec in specs
    ]


def _account_spec(connection: ConnectionSettings) -> dg.AssetSpec:
    return dg.AssetSpec(
        account_key(connection),
        description=f"The Invoiced account of the connection {connection.name}: syncs read it.",
        kinds={"invoiced"},
        metadata=_account_metadata(connection),
    )


def _written_account_spec(
    connection: ConnectionSettings, writebacks: Sequence[WritebackSettings]
) -> dg.AssetSpec:
    return dg.AssetSpec(
        written_account_key(connection),
        description=f"The same account as {account_key(connection).to_user_string()}: write-backs "
        "create and change records in it. The next sync reads them back.",
        deps=[writeback_key(connection, each.name) for each in writebacks],
        kinds={"invoiced"},
        metadata=_account_metadata(connection),
    )


def _account_metadata(connection: ConnectionSettings) -> dict[str, object]:
    web_page = _WEB_PAGES.get(connection.base_url, connection.base_url)
    return {
        "account": dg.MetadataValue.url(web_page),
        "connection": connection.name,
        "api": connection.base_url,
    }


def _child_spec(
    connection: ConnectionSettings, table: Table, child: ChildTable, destination: Destination
) -> dg.AssetSpec:
    dataset = connection.dataset
    name = table.child_name(child)
    join = f"`{dataset}.{name}.{table.parent_column}` = `{dataset}.{table.name}.id`"
    columns = tuple(each for each in child_columns(table, child) if each.name != TOMBSTONE)
    return dg.AssetSpec(
        table_key(connection, name),
        description=f"{child.description} It is loaded with {table.name}, from the array in its "
        f"column `{child.array}`: materialize {table.name}.",
        deps=[asset_key(connection, table)],
        kinds={"dlt", destination},
        metadata={
            "dagster/column_schema": column_schema(columns, key=(table.parent_column, INDEX)),
            "dagster/column_lineage": _column_lineage(connection, table, child),
            "dagster/table_name": f"{dataset}.{name}",
            "joins": dg.MetadataValue.md(join),
        },
    )


def _history_spec(
    connection: ConnectionSettings, table: Table, destination: Destination
) -> dg.AssetSpec:
    own = tuple(
        Column(name, "boolean" if name == "is_current" else "timestamp", text)
        for name, text in HISTORY_COLUMNS.items()
    )
    key = (table.primary_key, table.replication_key)
    return dg.AssetSpec(
        table_key(connection, table.history_name),
        description=f"{history_text(table)} It is loaded with {table.name}: materialize "
        f"{table.name}.",
        deps=[asset_key(connection, table)],
        kinds={"dlt", destination},
        metadata={
            "dagster/column_schema": column_schema((*parent_columns(table), *own), key=key),
            "dagster/table_name": f"{connection.dataset}.{table.history_name}",
        },
    )


def _column_lineage(
    connection: ConnectionSettings, table: Table, child: ChildTable
) -> dg.TableColumnLineage:
    """Returns the parent's column behind every column of a child table."""
    own = {
        table.parent_column: table.primary_key,
        DELETED_AT: DELETED_AT,
        PARENT_VERSION: table.replication_key,
    }
    parent = asset_key(connection, table)
    return dg.TableColumnLineage(
        {
            column.name: [dg.TableColumnDep(parent, own.get(column.name, child.array))]
            for column in child_columns(table, child)
            if column.name != TOMBSTONE
        }
    )


def _writeback_spec(
    connection: ConnectionSettings, writeback: WritebackSettings, tables: Sequence[Table]
) -> dg.AssetSpec:
    dataset, of = connection.dataset, operation(writeback.operation)
    names = {table.name for table in tables}
    names |= {table.child_name(child) for table in tables for child in table.children}
    names |= {table.history_name for table in tables if table.keeps_history}
    read = source_tables(writeback, dataset, names)
    checked = [(dataset, name) for name in checked_tables(writeback) if name in names]
    parents = dict.fromkeys(each.writeback for each in writeback.references.values())
    job = writeback_job_name(connection, writeback.name)
    state = "active" if writeback.active else "not active: it plans, and sends nothing"
    return dg.AssetSpec(
        writeback_key(connection, writeback.name),
        description=paragraphs(
            writeback.description,
            f"{of.title} for every row of its source ({state}). Run the job `{job}` to plan or "
            "push.",
        ),
        deps=[
            *(_source_key(connection, table) for table in dict.fromkeys([*read, *checked])),
            *(writeback_key(connection, parent) for parent in parents),
        ],
        kinds={"invoiced"},
        metadata={
            "job": job,
            "operation": of.name,
            "endpoint": f"{writeback.method or of.method} {connection.base_url}"
            f"{writeback.path or of.path}",
            "source": dg.MetadataValue.md(_source_code(writeback)),
            "checked_against": ", ".join(name for _, name in checked) or "nothing",
        },
    )


def _source_key(connection: ConnectionSettings, table: tuple[str, ...]) -> dg.AssetKey:
    """Returns the asset of a table that a write-back reads; others may belong to anybody."""
    own = table[:-1] == (connection.dataset,)
    return table_key(connection, table[-1]) if own else dg.AssetKey(table)


def _source_code(writeback: WritebackSettings) -> str:
    return f"```sql\n{writeback.source.strip()}\n```" if writeback.is_query else writeback.source
