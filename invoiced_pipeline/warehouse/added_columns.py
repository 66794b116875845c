"""Columns that a write-back adds to its source by SQL expressions."""

from collections.abc import Mapping

from invoiced_pipeline.exceptions import WarehouseError


class ExpressionFailedError(WarehouseError):
    """An expression that cannot be evaluated.

    Args:
        name: The column that it defines.
        reason: Expression, place and cause; it may repeat a value.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


def with_columns(relation: str, added: Mapping[str, str]) -> str:
    """Returns a query of a relation with added columns, in the relation's order of rows."""
    columns = "".join(f', ({sql}\n) as "{name}"' for name, sql in added.items())
    return f"select source.*{columns} from {relation} as source"  # noqa: S608 - it runs read-only
