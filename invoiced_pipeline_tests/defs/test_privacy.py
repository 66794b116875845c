"""No file holds a clear value of a hashed or dropped column."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.launch.launch import WritebackResult, run_writeback
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline_tests.defs.conftest import Service
from invoiced_pipeline_tests.defs.test_selection import put, select

SALT = "a long random text"
HIDE = 'customers.hash = ["email", "name"]\ncustomers.drop = ["tax_id", "payment_source"]'


def clear_values(number: int) -> dict[str, str]:
    """Values of a customer that must not appear; they are unique."""
    return {
        "email": f"jane.{number}@secret.example",
        "name": f"Jané/Secretperson {number}",
        "tax_id": f"DE-SECRETTAX-{number}",
        "holder": f"Holdersecret {number}",
    }


def fill(account: Emulator, number: int, *, owner: str = "no number") -> None:
    """Adds a customer with values in every place, and one whose owner fits no column."""
    clear = clear_values(number)
    email, name, tax_id = clear["email"], clear["name"], clear["tax_id"]
    card = {"id": 1, "object": "card", "receipt_email": email, "last4": "4242"}
    bank = {"id": 2, "object": "bank_account", "account_holder_name": name}
    person: dict[str, Any] = {"email": email, "name": name, "tax_id": tax_id}
    put(
        account,
        "customers",
        number,
        **person,
        payment_source={"id": 3, "object": "bank_account", "account_holder_name": clear["holder"]},
        notes=f"write to {email}, tax {tax_id}",
        attention_to=name,
        metadata={"email": email, "also": f"{name} / {tax_id}"},
        taxes=[{"id": "vat", "object": "tax_rate", "name": f"VAT of {name}"}],
        surprise={"deep": [email, {"tax": tax_id}]},
    )
    put(account, "customers", number + 1000, **person, owner=owner)
    put(
        account,
        "invoices",
        number,
        customer=number,
        ship_to={"name": name, "city": "Paris"},
        payment_source=bank,
        items=[{"id": 1, "object": "line_item", "name": "Hosting"}],
        contact={"email": email},
    )
    put(account, "payments", number, customer=number, charge={"id": 1, "payment_source": card})


def found(service: Service, number: int) -> set[str]:
    """Files that hold a clear value, as it is or as JSON writes it."""
    words = set(clear_values(number).values())
    words |= {json.dumps(word)[1:-1] for word in words}
    patterns = [word.encode() for word in words] + [word.lower().encode() for word in words]
    return {
        str(path.relative_to(service.folder))
        for path in service.folder.rglob("*")
        if path.is_file() and any(pattern in path.read_bytes() for pattern in patterns)
    }


def hashed(text: str) -> str:
    return hashlib.sha256((SALT + text).encode()).hexdigest()


@pytest.fixture
def salted(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("INVOICED_HASH_SALT", SALT)
    service.environment["INVOICED_HASH_SALT"] = SALT
    return service


def file_of(service: Service) -> set[str]:
    """The warehouse, if it is a file that can be searched."""
    return {"data/warehouse.duckdb"} if service.database.kind == "duckdb" else set()


def test_rows_loaded_before_and_rows_loaded_after(salted: Service, account: Emulator) -> None:
    fill(account, 1)
    first = salted.sync()
    assert first.error is not None
    assert "fits no column" in first.error
    assert found(salted, 1) == file_of(salted)  # the search finds them

    select(salted, HIDE)
    fill(account, 2, owner=f"no number: {clear_values(2)['email']}")
    second = salted.sync()
    assert second.error is not None
    assert "fit no column" in second.error
    for number in (1, 2):
        assert found(salted, number) == set()
    rows = salted.query(
        "select email, name, tax_id, payment_source, attention_to, notes from customers order by id"
    )
    for number, row in zip((1, 2), rows, strict=True):
        clear = clear_values(number)
        email, name = hashed(clear["email"]), hashed(clear["name"])
        assert row == (email, name, None, None, name, f"write to {email}, tax [dropped]")
    # Other values are unchanged, and a value has the same hash everywhere.
    invoices = salted.query("select id, ship_to, payment_source, _extra from invoices order by id")
    for number, ship_to, source, extra in invoices:
        clear = clear_values(number)
        assert json.loads(ship_to) == {"name": hashed(clear["name"]), "city": "Paris"}
        assert json.loads(source)["account_holder_name"] == hashed(clear["name"])
        assert json.loads(extra) == {"contact": {"email": hashed(clear["email"])}}
    assert salted.query("select name from invoices__items") == [("Hosting",)] * 2
    (taxes,) = salted.query("select name from customers__taxes where customer_id = 1")
    assert taxes == (f"VAT of {hashed(clear_values(1)['name'])}",)
    rejected = salted.query("select id, record from _rejected order by id")
    assert [record_id for record_id, _ in rejected] == ["1001", "1002"]
    assert json.loads(rejected[0][1])["email"] == hashed(clear_values(1)["email"])
    # The views still exist, and the next sync finds nothing to redact.
    assert salted.query("select count(*) from _sync_status where table_name = 'customers'") == [
        (1,)
    ]
    assert salted.sync("invoices").error is None
    assert salted.query("select email from customers where id = 1") == [(rows[0][0],)]


def test_without_a_salt_nothing_is_loaded(service: Service, account: Emulator) -> None:
    fill(account, 1)
    select(service, HIDE)
    result = service.sync()
    assert result.error is not None
    assert "set INVOICED_HASH_SALT in the environment" in result.error
    assert found(service, 1) == set()


def test_another_salt_is_refused_unless_everything_is_hashed_again(
    salted: Service, account: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(account, "customers", 1, email="jane@secret.example")
    select(salted, 'customers.hash = ["email"]')
    assert salted.sync("customers").error is None
    monkeypatch.setenv("INVOICED_HASH_SALT", "another")
    refused = salted.sync("customers")
    assert refused.error is not None
    assert "sync --full --select customers" in refused.error
    assert salted.sync("customers", mode="full").error is None
    expected = hashlib.sha256(b"anotherjane@secret.example").hexdigest()
    assert salted.query("select email from customers") == [(expected,)]
    assert salted.sync("customers").error is None


WRITEBACK = """
[[writeback]]
name = "crm"
operation = "create_customer"
source = "{source}"
key = "ext_id"
exclude = ["ext_id"]
active = true
reject_share = 1.0
"""


def test_plans_of_write_backs(salted: Service, account: Emulator, tmp_path: Path) -> None:
    """Plans, pushes and invalid rows keep only hashes of what is sent."""
    source = tmp_path / "elsewhere.csv"
    clear, wrong = clear_values(1), clear_values(2)
    names, taken = ("email", "name", "tax_id"), "SECRETNUMBER-5"
    lines = [("ext_id", *names, "notes", "number")]
    lines.append(("C1", *(clear[name] for name in names), f"of {clear['email']}", ""))
    # No email address, and a text so long that the reason shortens it.
    lines.append(("C2", f"no address of {wrong['email']}", wrong["name"], wrong["tax_id"], "", ""))
    lines.append(("C3", "", "Other", "", "", taken))  # the API refuses it
    source.write_text("\n".join(map(",".join, lines)), encoding="utf-8")
    writeback = WRITEBACK.format(source=source)
    (salted.folder / "invoiced.toml").write_text(writeback, encoding="utf-8")
    put(account, "customers", 5, name="other", number=taken)
    assert salted.sync("customers").error is None

    def push(**config: Any) -> WritebackResult:
        wish = WritebackConfig(**config)
        return run_writeback(
            salted.definitions(), salted.settings().first, "crm", salted.instance, wish
        )

    assert push().error is None
    assert found(salted, 1) >= file_of(salted)  # the search finds it

    select(salted, HIDE.replace('"name"]', '"name", "number"]'))
    with (salted.folder / "invoiced.toml").open("a", encoding="utf-8") as settings:
        settings.write(writeback)
    assert salted.sync("customers").error is None
    assert not found(salted, 1) & {"data/warehouse.duckdb"}
    known = found(salted, 1) | found(salted, 2)
    assert push().error is None
    email, name = hashed(clear["email"]), hashed(clear["name"])
    planned = salted.query("select body, reason from _writeback_plan order by position")
    assert json.loads(planned[0][0]) == {
        "email": email, "name": name, "tax_id": None, "notes": f"of {email}",
    }  # fmt: skip
    assert planned[1] == (None, "email is not an email address: [hashed]")
    pushed = push(dry_run=False)
    assert pushed.error is None
    states = pushed.metadata["report"]["states"]
    assert states == {"succeeded": 1, "invalid": 1, "rejected": 1}
    ((error,),) = salted.query("select error from _writeback_ledger where record_key = 'C3'")
    assert error == f"The given customer number has already been taken: {hashed(taken)}"
    assert found(salted, 1) | found(salted, 2) <= known  # records of runs before the setting
    sent = {record["email"] for record in account.store.all("customers") if "email" in record}
    assert sent == {clear["email"]}

    changed = source.read_text(encoding="utf-8").replace(f"of {clear['email']}", "none")
    source.write_text(changed, encoding="utf-8")
    looked = push()
    assert looked.metadata["rows_to_update"] == 1
    ((changes,),) = salted.query("select changes from _writeback_plan where action = 'update'")
    assert json.loads(changes)["notes"] == {"before": f"of {email}", "after": "none"}
    assert found(salted, 1) | found(salted, 2) <= known
