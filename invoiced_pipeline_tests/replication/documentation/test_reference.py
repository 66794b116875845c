"""docs/schema.md matches the catalog, and its examples run."""

import re

import pytest

from invoiced_emulator.run import fill
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.catalog.descriptions import companions
from invoiced_pipeline.replication.documentation.dataset import document_dataset
from invoiced_pipeline.replication.documentation.er_diagram import dot, entities, mermaid
from invoiced_pipeline.replication.documentation.reference import (
    DOCUMENT,
    GUIDE,
    PICTURE,
    mark,
    render,
)
from invoiced_pipeline.selection.tables import all_tables_of
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline_tests.conftest import NOW, Replica

EXAMPLES = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "run: make docs"


def test_the_picture_is_up_to_date() -> None:
    assert mark() in PICTURE.read_text(encoding="utf-8"), "run: make docs"


def test_the_diagram_has_every_table_and_every_key() -> None:
    text, graph = mermaid(), dot()
    for table in TABLES:
        for name in (table.name, *map(table.child_name, table.children)):
            assert f"    {name} {{" in text
            assert f"<B>{name}</B>" in graph
        for key in table.foreign_keys:
            assert f'{key.table} |o--o{{ {table.name} : "{key.column}"' in text
    for entity in entities():
        for name in entity.columns:
            assert name in entity.types


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_words_agree_with_the_catalog(table) -> None:
    names = {column.name for column in table.columns}
    assert {column.twin for column in table.columns if column.twin} <= names
    assert {key.column for key in table.joins} <= names
    for child in table.children:
        assert {key.column for key in child.joins} <= {each.name for each in child.columns}
    if table.open_statuses:
        described = table.column("status").description
        is_open = described.split("Not open:")[0]
        assert set(re.findall(r"`(\w+)`", is_open)) == set(table.open_statuses)
    for columns in (table.columns, *(child.columns for child in table.children)):
        assert not {each.name for each in companions(columns)} & {each.name for each in columns}
        for column in columns:
            assert not column.is_day or column.type == "timestamp"
            assert not column.is_epoch or column.type == "bigint"


def test_examples_run(emulator: Emulator, replicate: Replica) -> None:
    if isinstance(replicate.database, DuckDbDatabase):
        file = DuckDbDatabase(replicate.database.beside("renamed").with_name("warehouse.duckdb"))
        replicate.database = file
    fill(emulator.store, seed=1, customers=8, now=NOW)
    replicate.ok()
    tables = all_tables_of(replicate.settings().first)
    with replicate.database.session("invoiced") as session:
        document_dataset(session, tables, current_views=True)
    examples = [
        sql for sql in EXAMPLES if "duckdb_" not in sql or replicate.database.kind == "duckdb"
    ]
    assert len(examples) >= 4
    for sql in examples:
        assert replicate.query(sql), sql
