"""The result of a comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

EXAMPLES = 5
"""How many ids are named for each kind of difference."""


ONLY_OLD, ONLY_NEW = "only in the old replica", "only in the new replica"
"""Why a column was not compared."""


@dataclass(slots=True)
class Finding:
    """Rows with one kind of difference.

    Attributes:
        rows: How many there are.
        examples: The ids of the first ones.
    """

    rows: int = 0
    examples: list[Any] = field(default_factory=list)

    def add(self, key: Any) -> None:
        """Counts a row."""
        self.rows += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(key)


@dataclass(slots=True)
class Total:
    """The sum of a column in one currency, over rows that neither replica marks as deleted."""

    old: Decimal = Decimal()
    new: Decimal = Decimal()


@dataclass(slots=True)
class TableComparison:
    """One table in both replicas.

    Attributes:
        table: Its name in this project's replica.
        old_table: Its name in the other; None if that has none.
        old_rows: Rows in the other replica.
        new_rows: Rows in this project's.
        only_in_old: Rows that this project's replica does not have.
        only_in_new: Rows that the other does not have.
        older_in_old: Rows of which the other has an older version.
        older_in_new: Rows of which this project's replica has an older version.
        deleted_in_old: Rows that only the other marks as deleted.
        deleted_in_new: Rows that only this project's marks as deleted; empty if the other marks
            none, because it cannot tell.
        deleted: Rows that were not compared, because a replica marks them as deleted.
        surplus: Further rows of the same ids in the other replica; the newest was compared.
        columns: Rows of the same version with different values, by column.
        totals: By currency and column.
        oldest: The oldest `updated_at` in this project's replica.
        before_oldest: How many rows of `only_in_old` are older than that.
        not_compared: Columns that were not compared, and why.
        problem: Why the table could not be compared; None if it was.
    """

    table: str
    old_table: str | None = None
    old_rows: int = 0
    new_rows: int = 0
    only_in_old: Finding = field(default_factory=Finding)
    only_in_new: Finding = field(default_factory=Finding)
    older_in_old: Finding = field(default_factory=Finding)
    older_in_new: Finding = field(default_factory=Finding)
    deleted_in_old: Finding = field(default_factory=Finding)
    deleted_in_new: Finding = field(default_factory=Finding)
    deleted: int = 0
    surplus: int = 0
    columns: dict[str, Finding] = field(default_factory=dict)
    totals: dict[tuple[str, str], Total] = field(default_factory=dict)
    oldest: datetime | None = None
    before_oldest: int = 0
    not_compared: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def findings(self) -> Mapping[str, Finding]:
        """Every kind of difference between rows that was found, by its name."""
        kinds = (
            *("only_in_old", "only_in_new", "older_in_old", "older_in_new"),
            *("deleted_in_old", "deleted_in_new"),
        )
        return {kind: found for kind in kinds if (found := getattr(self, kind)).rows}

    @property
    def is_equal(self) -> bool:
        """Whether the table was compared, and nothing differs."""
        totals_agree = all(total.old == total.new for total in self.totals.values())
        return not (self.problem or self.findings or self.columns) and totals_agree
