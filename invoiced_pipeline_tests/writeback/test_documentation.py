"""docs/write-back.md: its worked example works, and no operation is left out."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog.operations import OPERATIONS, Operation
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.settings import load_settings
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.writeback.plan.current_plan import plan_writeback
from invoiced_pipeline.writeback.push.context import PushContext, PushOptions
from invoiced_pipeline.writeback.run import push_writeback
from invoiced_pipeline_tests.conftest import SHORT_RETRIES

DOCUMENT = (Path(__file__).parents[2] / "docs" / "write-back.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_documented_with_its_required_fields(operation: Operation) -> None:
    (line,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{operation.name}`")]
    if operation.kind != "custom":
        assert f"`{operation.method} {operation.path}`" in line
    needed = [field.name for field in operation.fields if field.required]
    needed += [name for group in (*operation.one_of, *operation.any_of) for name in group]
    assert [name for name in needed if f"`{name}`" not in line] == []


@pytest.mark.duckdb("its queries are in this dialect")
def test_the_worked_example(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert example is not None
    text = example[1].replace("[[writeback]]", "[[writeback]]\nactive = true")
    (tmp_path / "invoiced.toml").write_text(text, encoding="utf-8")
    crm = "ext_id,company,email,country\nC1,Acme,Pay@Acme.example,us\nC2,,,\n"
    (tmp_path / "crm.csv").write_text(crm, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"INVOICED_API_URL": emulator.url}, tmp_path)
    database = DuckDbDatabase(tmp_path / "warehouse.duckdb")
    with database.session("invoiced") as session:
        session.run("create table plans (_deleted_at timestamp with time zone)")
        session.run(
            "create table orders as select order_id, ext_id, ordered_on, article, quantity, "
            "cast(price as decimal(10,2)) as price, status from (values "
            "('O1', 'C1', date '2026-01-31', 'Wood', 2, 99.50, 'delivered'), "
            "('O2', 'C2', date '2026-01-31', 'Wood', 1, 99.50, 'delivered'), "
            "('O3', 'C1', date '2026-01-31', 'Wood', 1, 99.50, 'open')) "
            "as t(order_id, ext_id, ordered_on, article, quantity, price, status)"
        )
        session.run(
            "create table bank_receipts as select 'R1' as receipt, 'C1' as ext_id, 'O1' as "
            "order_id, 199.00::decimal(10,2) as amount, date '2026-02-15' as received_on"
        )
    assert plan_writeback(settings, "receipts", database).counts["held"] == 1
    key = SecretStr(emulator.api_key)
    client = InvoicedClient(emulator.url, key, retry_policy=SHORT_RETRIES)
    context = PushContext(
        client=client, api_key=key, connection=settings.first, database=database, run_id="run"
    )
    reports = list(push_writeback(settings, "receipts", context, PushOptions()))
    client.close()
    assert [dict(report.states) for report in reports] == [
        {"succeeded": 1, "invalid": 1},
        {"succeeded": 1, "held": 1},
        {"succeeded": 1},
    ]
    (invoice,) = [
        emulator.store.at("invoices", row[0]) or {}
        for row in emulator.store.rows("SELECT key FROM records WHERE collection = 'invoices'")
    ]
    assert (invoice["number"], invoice["paid"], invoice["balance"]) == ("O1", True, 0)
    sql = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)[0]
    with database.session("invoiced") as session:
        session.run("create table invoices (id bigint, balance decimal(38, 10))")
        rows = session.rows(sql.strip().rstrip(";"))
    assert sorted((row[0], row[1]) for row in rows) == [
        ("O1", "succeeded"), ("O2", "held"), ("O3", None),
    ]  # fmt: skip
