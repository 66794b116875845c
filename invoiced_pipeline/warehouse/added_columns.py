"""SQL around a relation."""

from collections.abc import Mapping

from invoiced_pipeline.exceptions import WarehouseError


class ExpressionFailedError(WarehouseError):
    """An expression that cannot be evaluated.

    Args:
        name: The column that it was to make.
        reason: Expression, place and cause; it may repeat a value.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


def with_columns(relation: str, added: Mapping[str, str]) -> str:
    """A query for a relation with columns added, in the relation's order."""
    columns = "".join(f', ({sql}\n) as "{name}"' for name, sql in added.items())
    return f"select source.*{columns} from {relation} as source"  # noqa: S608 - it cannot write
