"""SQL around a relation."""

from collections.abc import Mapping


def with_columns(relation: str, added: Mapping[str, str]) -> str:
    """A query for a relation with columns added, in the relation's order."""
    columns = "".join(f', ({sql}\n) as "{name}"' for name, sql in added.items())
    return f"select source.*{columns} from {relation} as source"  # noqa: S608 - it cannot write
