"""The asset graph: the account, its tables and child tables, write-backs, and the account again."""

from pathlib import Path

import dagster as dg
import pytest

from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.defs.assembly import build_definitions
from invoiced_pipeline.settings import WritebackSettings, load_settings
from invoiced_pipeline.writeback.source.tables import source_tables
from invoiced_pipeline_tests.front_door import REPOSITORY, front_door, invoiced_account

TOML = """
[[writeback]]
name = "crm"
operation = "create_customer"
source = "marts.new_customers"
key = "ext_id"

[[writeback]]
name = "bills"
operation = "create_invoice"
source = "select * from marts.bills as b, subscriptions join invoiced.customers__taxes using (id)"
key = "bill"
mapping = { customer = "@crm[ext_id].id" }

[[writeback]]
name = "contacts"
operation = "add_contact"
source = "contacts.csv"
key = "email"
check_replica = false
"""


def definitions(folder: Path, toml: str = "", **environment: str) -> dg.Definitions:
    (folder / "invoiced.toml").write_text(toml, encoding="utf-8")
    return build_definitions(load_settings(environment, folder))


def parents(defs: dg.Definitions, key: str) -> set[str]:
    graph = defs.resolve_asset_graph()
    return {each.to_user_string() for each in graph.get(dg.AssetKey(key.split("/"))).parent_keys}


def test_the_graph_goes_from_account_to_tables_to_write_backs_to_account(tmp_path: Path) -> None:
    defs = definitions(tmp_path, TOML)
    dg.Definitions.validate_loadable(defs)
    for table in TABLES:
        assert parents(defs, f"invoiced/{table.name}") == {"invoiced/invoiced_account"}
    assert parents(defs, "invoiced/invoiced_account") == set()
    assert parents(defs, "invoiced/invoices__items") == {"invoiced/invoices"}
    assert parents(defs, "invoiced/writeback_crm") == {"marts/new_customers", "invoiced/customers"}
    bills = parents(defs, "invoiced/writeback_bills")
    source = {"marts/bills", "invoiced/subscriptions", "invoiced/customers__taxes"}
    assert source | {"invoiced/customers", "invoiced/writeback_crm"} <= bills
    assert parents(defs, "invoiced/writeback_contacts") == set()
    written = {f"invoiced/writeback_{name}" for name in ("crm", "bills", "contacts")}
    assert parents(defs, "invoiced/invoiced_account_writes") == written


def test_a_history_is_shown_after_its_table(tmp_path: Path) -> None:
    toml = "[[connection]]\n[connection.tables.invoices]\nhistory = true\n" + TOML.replace(
        "marts.new_customers", "invoiced.invoices__history"
    )
    defs = definitions(tmp_path, toml)
    assert parents(defs, "invoiced/invoices__history") == {"invoiced/invoices"}
    assert "invoiced/invoices__history" in parents(defs, "invoiced/writeback_crm")
    graph = defs.resolve_asset_graph()
    assert not graph.has(dg.AssetKey(["invoiced", "payments__history"]))


def test_only_tables_are_materialized(tmp_path: Path) -> None:
    defs = definitions(tmp_path, TOML)
    graph = defs.resolve_asset_graph()
    assert {key.path[-1] for key in graph.materializable_asset_keys} == {
        table.name for table in TABLES
    }
    job = defs.resolve_job_def("invoiced_sync")
    assert job.asset_layer.executable_asset_keys == graph.materializable_asset_keys
    assert job.partitions_def is not None


def test_the_account_links_to_its_page_and_a_child_to_its_parents_columns(tmp_path: Path) -> None:
    specs = {spec.key.path[-1]: spec for spec in definitions(tmp_path).resolve_all_asset_specs()}
    assert specs["invoiced_account"].metadata["account"].value == "https://app.invoiced.com"
    assert "invoiced_account_writes" not in specs
    items = specs["invoices__items"]
    assert "from the array in its column `items`" in (items.description or "")
    assert "`invoiced.invoices__items.invoice_id` = `invoiced.invoices.id`" in (
        items.metadata["joins"].value
    )
    lineage = items.metadata["dagster/column_lineage"].deps_by_column
    named = {name: [(dep.asset_key.path[-1], dep.column_name) for dep in deps]
             for name, deps in lineage.items()}  # fmt: skip
    assert named["invoice_id"] == [("invoices", "id")]
    assert named["unit_cost"] == named["_index"] == [("invoices", "items")]
    shown = {column.name for column in items.metadata["dagster/column_schema"].columns}
    assert shown == set(named)

    sandbox = definitions(tmp_path, INVOICED_SANDBOX="true").resolve_all_asset_specs()
    (account,) = [spec for spec in sandbox if spec.key.path[-1] == "invoiced_account"]
    assert account.metadata["account"].value == "https://app.sandbox.invoiced.com"


_QUERIES = {
    "select a from invoices": ["invoiced.invoices"],
    'select a from "invoiced"."invoices" i join marts.b on i.id = b.id': [
        "invoiced.invoices",
        "marts.b",
    ],
    "with new as (select 1 from plans) select * from new, customers c where c.id = 1": [
        "invoiced.plans",
        "invoiced.customers",
    ],
    "select extract(year from i.date), 'from x.y' -- from a.b\nfrom invoices i": [
        "invoiced.invoices"
    ],
    "select a is distinct from m.b from lake.marts.c": ["marts.c"],
    "select * from (values (1)) as shop(id)": [],
}


@pytest.mark.parametrize("query", _QUERIES)
def test_a_query_depends_on_its_tables(query: str) -> None:
    known = {"invoices", "plans", "customers"}
    settings = WritebackSettings(name="x", operation="create_customer", source=query, key="id")
    found = source_tables(settings, "invoiced", known)
    assert [".".join(each) for each in found] == _QUERIES[query]


def test_selecting_the_group_selects_only_tables(tmp_path: Path) -> None:
    with invoiced_account(customers=2) as account, front_door(tmp_path, account) as door:
        (door.folder / "invoiced.toml").write_text(TOML, encoding="utf-8")
        keys = door.run(
            *("dagster", "asset", "list", "-m", "invoiced_pipeline.definitions"),
            *("--select", "group:invoiced"),
        )
        assert len(keys.out.split()) == len(TABLES)
        first, last = _newest_partitions(door.folder, door.environment)
        door.materialize("--select", "group:invoiced", "--partition-range", f"{first}...{last}")
        with door.instance() as instance:
            names = {key.path[-1] for key in instance.all_asset_keys()}
        assert names == {table.name for table in TABLES}


def _newest_partitions(folder: Path, environment: dict[str, str]) -> tuple[str, str]:
    defs = build_definitions(load_settings(environment, folder))
    node = defs.resolve_asset_graph().get(dg.AssetKey(["invoiced", "invoices"]))
    assert node.partitions_def is not None
    first, *_, last = node.partitions_def.get_partition_keys()[-2:]
    return first, last


def test_the_demos_write_backs_are_in_its_graph() -> None:
    settings = load_settings({"INVOICED_CONFIG": "demo.toml"}, REPOSITORY)
    defs = build_definitions(settings)
    assert parents(defs, "demo/writeback_credit_watch") == {"demo/customers", "demo/invoices"}
