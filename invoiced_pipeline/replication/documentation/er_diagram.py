"""Keys and joins of all tables as a diagram for Mermaid and for Graphviz."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from invoiced_pipeline.catalog import ALL_TABLES, TABLE_NAMES, Column, ForeignKey, Table
from invoiced_pipeline.replication.decode.columns import INDEX, child_columns

_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#b8860b", "#17808f", "#c2559d")
"""Colors of the lines, by the table that they lead to."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A table with its keys.

    Attributes:
        name: Its name.
        parent: The table whose array it holds; None for any other table.
        primary_key: Columns that are unique together.
        foreign_keys: Columns that hold keys of other tables, the parent's included.
        types: Types of all these columns.
    """

    name: str
    parent: str | None
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    types: dict[str, str]

    @property
    def columns(self) -> list[str]:
        """The columns that are keys, each once."""
        return list(dict.fromkeys([*self.primary_key, *(key.column for key in self.foreign_keys)]))

    def marks(self, column: str) -> str:
        """Returns `PK`, `FK` or both."""
        is_foreign = any(key.column == column for key in self.foreign_keys)
        marks = (("PK", column in self.primary_key), ("FK", is_foreign))
        return ", ".join(mark for mark, is_so in marks if is_so)

    def joins_itself(self, column: str) -> bool:
        """Returns whether a column holds keys of the same table."""
        return any((key.column, key.table) == (column, self.name) for key in self.foreign_keys)


def entities(tables: Sequence[Table] = ALL_TABLES) -> Iterator[Entity]:
    """Yields all tables, each followed by its child tables."""
    for table in tables:
        keys = (*table.foreign_keys, *table.joins)
        yield _entity(table.name, None, (table.primary_key,), keys, table.columns)
        for child in table.children:
            yield _entity(
                table.child_name(child),
                table.name,
                (table.parent_column, INDEX),
                (ForeignKey(table.parent_column, table.name), *child.joins),
                child_columns(table, child),
            )


def mermaid() -> str:
    """Returns the diagram as Mermaid, which GitHub draws."""
    lines = ["erDiagram"]
    for entity in entities():
        lines.append(f"    {entity.name} {{")
        lines += [
            f"        {entity.types[name]} {name} {entity.marks(name)}" for name in entity.columns
        ]
        lines.append("    }")
    for entity in entities():
        for key in entity.foreign_keys:
            parent = "||" if key.table == entity.parent else "|o"
            child = "o|" if entity.primary_key == (key.column,) else "o{"
            lines.append(f'    {key.table} {parent}--{child} {entity.name} : "{key.column}"')
    return "\n".join(lines)


def dot() -> str:
    """Returns the diagram for Graphviz; child tables are in their parent's box."""
    found = list(entities())
    lines = [
        "digraph schema {",
        '  graph [rankdir=RL, nodesep=0.3, ranksep=0.8, pad=0.2, bgcolor="white"]',
        '  node [shape=plain, fontname="Helvetica", fontsize=14]',
        "  edge [arrowhead=none, arrowtail=crow, dir=both]",
    ]
    for entity in found:
        if entity.parent is None:
            children = [each for each in found if each.parent == entity.name]
            lines.append(f"  {entity.name} [label=<{_box(entity, children)}>]")
    for entity in found:
        for key in entity.foreign_keys:
            node = entity.parent or entity.name
            if key.table != node:
                color = _COLORS[TABLE_NAMES.index(key.table) % len(_COLORS)]
                start = f"{node}:{_port(entity, key.column)}"
                lines.append(f'  {start} -> {key.table}:key:e [color="{color}"]')
    return "\n".join([*lines, "}", ""])


def _entity(
    name: str,
    parent: str | None,
    primary_key: tuple[str, ...],
    keys: tuple[ForeignKey, ...],
    columns: Sequence[Column],
) -> Entity:
    types = {column.name: column.type for column in columns}
    return Entity(name, parent, primary_key, keys, types)


def _port(entity: Entity, column: str) -> str:
    return f"{entity.name}_{column}" if entity.parent else column


def _box(entity: Entity, children: Sequence[Entity]) -> str:
    rows = [
        f'<TR><TD COLSPAN="2" BGCOLOR="#1f3a5f"><FONT COLOR="white"><B>{entity.name}'
        "</B></FONT></TD></TR>",
        *(_row(entity, name) for name in entity.columns),
    ]
    for child in children:
        key = " + ".join(child.primary_key)
        rows.append(
            f'<TR><TD COLSPAN="2" ALIGN="LEFT" BGCOLOR="#e3ebf4"><B>{child.name}</B></TD></TR>'
            f'<TR><TD ALIGN="LEFT">{escape(key)}</TD><TD ALIGN="LEFT">PK</TD></TR>'
        )
        rows += [_row(child, name) for name in child.columns if name not in child.primary_key]
    return (
        '<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" COLOR="#1f3a5f" '
        f'BGCOLOR="#ffffff">{"".join(rows)}</TABLE>'
    )


def _row(entity: Entity, column: str) -> str:
    own = " (id above)" if entity.joins_itself(column) else ""
    key = ' PORT="key"' if entity.primary_key == (column,) else ""
    return (
        f'<TR><TD PORT="{_port(entity, column)}" ALIGN="LEFT">{column}</TD>'
        f'<TD{key} ALIGN="LEFT">{entity.marks(column)}{own}</TD></TR>'
    )
