"""Asset specs from the catalog: what the UI shows of a table before its first load."""

from datetime import timedelta

import dagster as dg

from invoiced_pipeline.catalog import Column, Table
from invoiced_pipeline.defs.descriptions import paragraphs
from invoiced_pipeline.defs.names import account_key, asset_key, group_name
from invoiced_pipeline.replication.decode.columns import child_columns, parent_columns
from invoiced_pipeline.settings import ConnectionSettings, Destination

_TYPES = {
    "bigint": "bigint",
    "text": "text",
    "boolean": "boolean",
    "decimal": "decimal(38,10)",
    "timestamp": "timestamp with time zone",
    "json": "json",
}


_ALL_PARTITIONS = (
    "The UI's dialog for materializing shows only the partitions of the last 90 days, and its "
    "*All* means those. To read older partitions too, choose *Show all partitions* first."
)
"""Observed in Dagster 1.13, whose own hint is easy to miss."""


def column_schema(columns: tuple[Column, ...], *, key: tuple[str, ...]) -> dg.TableSchema:
    """Returns columns with types and descriptions, as the UI shows them.

    Args:
        columns: The columns.
        key: Names of the primary key's columns.
    """
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=_TYPES[column.type],
                description=column.description,
                constraints=dg.TableColumnConstraints(
                    nullable=column.name not in key,
                    unique=key == (column.name,),
                ),
            )
            for column in columns
        ]
    )


def _joins(dataset: str, table: Table) -> str:
    rows = [f"| `{key.column}` | `{dataset}.{key.table}.id` |" for key in table.foreign_keys] + [
        f"| `{table.primary_key}` | `{dataset}.{table.child_name(child)}.{table.parent_column}` |"
        for child in table.children
    ]
    return "\n".join(["| column | joins |", "|---|---|", *rows]) if rows else "none"


def asset_spec(
    connection: ConnectionSettings,
    table: Table,
    partitions: dg.PartitionsDefinition,
    destination: Destination,
) -> dg.AssetSpec:
    """Returns the spec of one table."""
    dataset = connection.dataset
    children = {
        f"columns of {table.child_name(child)}": column_schema(
            child_columns(table, child), key=(table.parent_column, "_index")
        )
        for child in table.children
    }
    return dg.AssetSpec(
        key=asset_key(connection, table),
        deps=[account_key(connection)],
        description=paragraphs(
            table.description,
            connection.description,
            _ALL_PARTITIONS,
            f"[API reference]({table.docs_url})",
        ),
        group_name=group_name(connection),
        owners=connection.owners,
        tags=connection.tags,
        kinds={"invoiced", "dlt", destination},
        partitions_def=partitions,
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=connection.fail_after_hours),
            warn_window=timedelta(hours=connection.warn_after_hours),
        ),
        metadata={
            "dagster/column_schema": column_schema(parent_columns(table), key=(table.primary_key,)),
            "dagster/table_name": f"{dataset}.{table.name}",
            "connection": connection.name,
            "api_reference": dg.MetadataValue.url(table.docs_url),
            "endpoint": f"GET {connection.base_url}{table.path}",
            "primary_key": table.primary_key,
            "replication_key": table.replication_key,
            "joins": dg.MetadataValue.md(_joins(dataset, table)),
            **children,
        },
    )
