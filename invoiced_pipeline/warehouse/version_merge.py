"""Merges that also keep every version of a record, in the transaction that replaces its row.

A version is a record's state with one `updated_at`. Like the table itself, the table of versions
holds the newest load's row of each key, here of (id, `updated_at`): reading a version again
replaces it. dlt's own strategies keep versions wrongly: `scd2` takes the time of the load, and
leaves two open versions if an id comes twice in one load; `insert-only` then doubles a version.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dlt.destinations.sql_jobs import SqlMergeFollowupJob

_HINT = "x-versions"
"""Our hint on a table in dlt's schema, which is also stored in the dataset."""


@dataclass(frozen=True, slots=True)
class KeptVersions:
    """The versions that a load of a table keeps.

    Attributes:
        table: The table that holds them.
        columns: Its columns; the table's rows and the loaded ones have all of them.
        key: The columns that identify a version: the record's id and the time of its change.
        begins: Whether the rows that the table already holds become versions, too.
        since: Since when versions are kept (ISO, UTC). It makes dlt's schema differ from that of
            an earlier history, so that dlt creates a table of versions that was dropped meanwhile.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, str]
    begins: bool = False
    since: str = ""


def versions_hint(kept: KeptVersions | None) -> dict[str, Any]:
    """Returns the hint for a table whose load keeps versions; None takes it back."""
    if kept is None:
        return {_HINT: {}}
    return {_HINT: asdict(kept) | {"columns": list(kept.columns), "key": list(kept.key)}}


class VersionMerge(SqlMergeFollowupJob):
    """A merge that first adds the loaded rows to the versions, if the table has our hint."""

    @classmethod
    def generate_sql(cls, table_chain: Sequence[Any], sql_client: Any) -> list[str]:
        """Returns the statements of one transaction."""
        merge = super().generate_sql(table_chain, sql_client)
        hint = table_chain[0].get(_HINT)
        return [*cls._version_sql(table_chain[0], hint, sql_client), *merge] if hint else merge

    @classmethod
    def gen_select_from_dedup_sql(  # noqa: PLR0913, PLR0917 - dlt's signature
        cls,
        table_name: str,
        primary_keys: Sequence[str],
        columns: Sequence[str],
        dedup_sort: Any = None,
        condition: Any = None,
        condition_columns: Any = None,
        skip_dedup: bool = False,  # noqa: FBT001, FBT002 - dlt's signature
    ) -> str:
        """Returns SQL for the newest row of each key; one without a time is the oldest."""
        order: Any = dedup_sort
        if dedup_sort is not None:  # PostgreSQL would take it for the newest
            order = (dedup_sort[0], f"{dedup_sort[1]} nulls last")
        return super().gen_select_from_dedup_sql(
            table_name, primary_keys, columns, order, condition, condition_columns, skip_dedup
        )

    @classmethod
    def _version_sql(cls, table: Any, hint: dict[str, Any], sql_client: Any) -> list[str]:
        rows, loaded = sql_client.get_qualified_table_names(table["name"])
        quoted = sql_client.escape_column_name
        return version_sql(
            KeptVersions(
                sql_client.make_qualified_table_name(hint["table"]),
                tuple(map(quoted, hint["columns"])),
                (quoted(hint["key"][0]), quoted(hint["key"][1])),
                hint["begins"],
            ),
            rows=rows,
            loaded=loaded,
            newest=cls.gen_select_from_dedup_sql,
        )


def version_sql(
    kept: KeptVersions, *, rows: str, loaded: str, newest: Callable[..., str]
) -> list[str]:
    """Returns the statements that add a load to the versions, before the table is merged.

    Args:
        kept: Table and columns, quoted.
        rows: The table, which still holds the rows that the load replaces.
        loaded: The rows of the load; a record may be among them in several versions.
        newest: Returns SQL that selects one loaded row of each key.
    """
    once = newest(loaded, kept.key, kept.columns, (kept.key[1], "desc"))
    listed = ", ".join(kept.columns)
    begin = [
        _forget(kept, rows),
        f"INSERT INTO {kept.table} ({listed}) SELECT {listed} FROM {rows}",  # noqa: S608
    ]
    return [
        *(begin if kept.begins else ()),
        _forget(kept, loaded),
        f"INSERT INTO {kept.table} ({listed}) {once}",
    ]


def _forget(kept: KeptVersions, replaced_by: str) -> str:
    """Returns SQL that deletes the versions that other rows hold, too."""
    record, time = kept.key
    return (
        f"DELETE FROM {kept.table} AS d WHERE EXISTS (SELECT 1 FROM {replaced_by} AS s "  # noqa: S608 - our own names
        f"WHERE s.{record} = d.{record} AND s.{time} IS NOT DISTINCT FROM d.{time})"
    )
