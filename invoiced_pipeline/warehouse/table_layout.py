"""The columns of a system table that is written row by row: how it is created and filled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invoiced_pipeline.warehouse.database import Session

_ROWS_PER_STATEMENT = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLayout:
    """The layout of one table.

    Attributes:
        name: The table's name.
        types: SQL types by column, in the columns' order.
        key: Columns of the primary key; empty for a table without one.
    """

    name: str
    types: Mapping[str, str]
    key: tuple[str, ...] = ()

    @property
    def columns(self) -> str:
        """The column names as a statement lists them."""
        return ", ".join(f'"{name}"' for name in self.types)

    def create(self, session: Session) -> None:
        """Creates the table unless it exists.

        Raises:
            WarehouseError: As `Session.run`.
        """
        columns = [f'"{name}" {kind}' for name, kind in self.types.items()]
        if self.key:
            columns.append(f"primary key ({', '.join(self.key)})")
        session.run(f"create table if not exists {self.name} ({', '.join(columns)})")

    def insert(self, session: Session, rows: Sequence[Sequence[Any]]) -> None:
        """Appends rows; the values are in the columns' order. Errors as `Session.run`."""
        self._insert(session, rows, "")

    def upsert(
        self, session: Session, rows: Sequence[Sequence[Any]], *, condition: str | None = None
    ) -> None:
        """Inserts rows, or updates those whose key is there. Errors as `Session.run`.

        Args:
            session: Over the table's dataset.
            rows: Values in the columns' order; no key twice.
            condition: SQL over the old row (the table's name) and the new one (`excluded`): an old
                row that does not meet it stays as it is.
        """
        updates = ", ".join(
            f'"{name}" = excluded."{name}"' for name in self.types if name not in self.key
        )
        where = f" where {condition}" if condition else ""
        self._insert(
            session, rows, f" on conflict ({', '.join(self.key)}) do update set {updates}{where}"
        )

    def _insert(self, session: Session, rows: Sequence[Sequence[Any]], conflict: str) -> None:
        # An array for each column: parsing a placeholder for each value takes DuckDB 12 times as
        # long (measured, 240 rows of 24 columns).
        arrays = ", ".join(f"unnest(cast(%s as {kind}[]))" for kind in self.types.values())
        sql = f"insert into {self.name} ({self.columns}) select {arrays}{conflict}"
        for chunk in _chunks(rows):
            session.run(sql, [list(column) for column in zip(*chunk, strict=True)])


def _chunks(rows: Sequence[Sequence[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        yield rows[start : start + _ROWS_PER_STATEMENT]
