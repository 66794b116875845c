"""What surrounds the tables in the asset graph: the account, child tables and write-backs.

All of it is external: it is shown, and never materialised. An asset of its own would cost an event
per partition in every run.
"""

from collections.abc import Sequence

import dagster as dg

from invoiced_pipeline.catalog import ChildTable, Table
from invoiced_pipeline.catalog.operations import operation
from invoiced_pipeline.defs.names import (
    account_key,
    asset_key,
    writeback_job_name,
    writeback_key,
    written_account_key,
)
from invoiced_pipeline.defs.sync.asset_specs import column_schema
from invoiced_pipeline.replication.decode.columns import (
    DELETED_AT,
    INDEX,
    PARENT_VERSION,
    TOMBSTONE,
    child_columns,
)
from invoiced_pipeline.settings import (
    ConnectionSettings,
    Destination,
    Settings,
    WritebackSettings,
)
from invoiced_pipeline.settings.addresses import PRODUCTION_URL, SANDBOX_URL
from invoiced_pipeline.writeback.source.tables import checked_tables, source_tables

_WEB_PAGES = {
    PRODUCTION_URL: "https://app.invoiced.com",
    SANDBOX_URL: "https://app.sandbox.invoiced.com",
}


def lineage_specs(
    settings: Settings, connection: ConnectionSettings, tables: Sequence[Table]
) -> list[dg.AssetSpec]:
    """The external assets of one connection, in the group of its tables.

    The account is there twice, for a graph of assets has no cycles: upstream of the tables as what
    is read, and downstream of the write-backs as what is written.

    Args:
        settings: All settings.
        connection: Whose assets.
        tables: Those that it selects.
    """
    destination = settings.warehouse.destination
    children = [
        _child_spec(connection, table, child, destination)
        for table in tables
        for child in table.children
    ]
    writebacks = [
        each for each in settings.writeback if settings.find(each.connection) == connection
    ]
    specs = [_account_spec(connection), *children]
    if writebacks:
        specs += [_writeback_spec(connection, each, tables) for each in writebacks]
        specs.append(_written_account_spec(connection, writebacks))
    return specs


def _account_spec(connection: ConnectionSettings) -> dg.AssetSpec:
    return _spec(
        connection,
        account_key(connection.dataset),
        f"The Invoiced account of the connection {connection.name}: what syncs read.",
        kinds={"invoiced"},
        metadata=_account_metadata(connection),
    )


def _written_account_spec(
    connection: ConnectionSettings, writebacks: Sequence[WritebackSettings]
) -> dg.AssetSpec:
    dataset = connection.dataset
    return _spec(
        connection,
        written_account_key(dataset),
        f"The same account as {account_key(dataset).to_user_string()}: what write-backs create and "
        "change there. The next sync reads it back.",
        deps=[writeback_key(dataset, each.name) for each in writebacks],
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
    dataset, name = connection.dataset, table.child_name(child)
    join = f"`{dataset}.{name}.{table.parent_column}` = `{dataset}.{table.name}.id`"
    columns = tuple(each for each in child_columns(table, child) if each.name != TOMBSTONE)
    return _spec(
        connection,
        dg.AssetKey([dataset, name]),
        f"{child.description} It is loaded with {table.name}, from the array in its column "
        f"`{child.array}`: materialize {table.name}.",
        deps=[asset_key(dataset, table)],
        kinds={"dlt", destination},
        metadata={
            "dagster/column_schema": column_schema(columns, key=(table.parent_column, INDEX)),
            "dagster/column_lineage": _column_lineage(dataset, table, child),
            "dagster/table_name": f"{dataset}.{name}",
            "joins": dg.MetadataValue.md(join),
        },
    )


def _column_lineage(dataset: str, table: Table, child: ChildTable) -> dg.TableColumnLineage:
    """Every column of a child table with the parent's column that it is made from."""
    own = {
        table.parent_column: table.primary_key,
        DELETED_AT: DELETED_AT,
        PARENT_VERSION: table.replication_key,
    }
    parent = asset_key(dataset, table)
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
    read = source_tables(writeback, dataset, names)
    checked = [(dataset, name) for name in checked_tables(writeback) if name in names]
    parents = dict.fromkeys(each.writeback for each in writeback.references.values())
    job = writeback_job_name(writeback.name)
    state = "active" if writeback.active else "not active: it plans, and sends nothing"
    return _spec(
        connection,
        writeback_key(dataset, writeback.name),
        f"{writeback.description}\n\n{of.title} for every row of its source ({state}). Run the job "
        f"`{job}` to plan or push.".strip(),
        deps=[
            *(dg.AssetKey(table) for table in dict.fromkeys([*read, *checked])),
            *(writeback_key(dataset, parent) for parent in parents),
        ],
        kinds={"invoiced"},
        metadata={
            "job": job,
            "operation": of.name,
            "endpoint": f"{writeback.method or of.method} {connection.base_url}"
            f"{writeback.path or of.path}",
            "source": dg.MetadataValue.md(_as_code(writeback)),
            "checked_against": ", ".join(name for _, name in checked) or "nothing",
        },
    )


def _as_code(writeback: WritebackSettings) -> str:
    return f"```sql\n{writeback.source.strip()}\n```" if writeback.is_query else writeback.source


def _spec(  # noqa: PLR0913 - what an asset of its kind shows
    connection: ConnectionSettings,
    key: dg.AssetKey,
    description: str,
    *,
    kinds: set[str],
    metadata: dict[str, object],
    deps: Sequence[dg.AssetKey] = (),
) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=key,
        deps=deps,
        description=description,
        group_name=connection.dataset,
        owners=connection.owners,
        tags=connection.tags,
        kinds=kinds,
        metadata=metadata,
    )
