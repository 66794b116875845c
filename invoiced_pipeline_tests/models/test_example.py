"""The example in docs/models.md, entered as it is written there and computed to the cent."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.change.actors import Actors
from invoiced_pipeline_tests.conftest import Replica
from invoiced_pipeline_tests.models.compiled import Models
from invoiced_pipeline_tests.processes import REPOSITORY

PAGE = (
    (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8").partition("twelve documents")[2]
)
TODAY = date(2026, 3, 31)

Row = dict[str, str]


def _tables() -> list[tuple[str, list[Row]]]:
    """Tables of the example with the model that was named last before each."""
    found = []
    for block in re.finditer(r"^\|.*?(?=\n\n|\Z)", PAGE, re.DOTALL | re.MULTILINE):
        cells = [
            [each.strip() for each in line.strip("| ").split("|")] for line in block[0].splitlines()
        ]
        header = cells[0]
        rows = [dict(zip(header, row + [""] * len(header), strict=False)) for row in cells[2:]]
        models = re.findall(r"`(invoiced__\w+)`", PAGE[: block.start()])
        found.append((models[-1] if models else "documents", rows))
    return found


TABLES = _tables()


def test_twelve_documents(emulator: Emulator, replicate: Replica, models: Models) -> None:
    _enter(Actors(emulator), TABLES[0][1])
    replicate.ok()
    replicate.keep_views()
    models.make(TODAY)
    assert len(TABLES[0][1]) == 12
    assert len(TABLES) == 7
    for model, rows in TABLES[1:]:
        columns = list(rows[0])
        last = " where dso_3m is not null" if "dso_3m" in columns else ""
        found = models.rows(f"select {', '.join(columns)} from {model}{last}")
        assert sorted(map(_written, found)) == sorted(tuple(row.values()) for row in rows)


def _written(row: tuple[Any, ...]) -> tuple[str, ...]:
    """A row as the page writes it."""
    return tuple(
        "" if cell is None else f"{cell:.2f}" if isinstance(cell, Decimal) else str(cell)
        for cell in row
    )


def _enter(actors: Actors, documents: list[Row]) -> None:
    """Enters the documents, each on its own day."""
    actors.clock.set(_seconds("2026-01-01"))
    customer = actors.write("POST", "/customers", {"name": "Lindenhof"})["id"]
    ids: dict[str, int] = {}
    for row in sorted(documents, key=lambda row: row["date"]):
        actors.clock.set(_seconds(row["date"]) + 3600)
        shared = {"customer": customer, "currency": row["currency"], "date": _seconds(row["date"])}
        number, happens = row["document"], row["what happens to it"]
        if number.startswith("PAY"):
            _pay(actors, shared | {"amount": Decimal(row["amount"])}, happens, ids)
            continue
        path = "/credit_notes" if number.startswith("CN") else "/invoices"
        body = shared | {"number": number, "items": [{"unit_cost": Decimal(row["amount"])}]}
        body |= (
            {"draft": "draft" in happens, "due_date": _seconds(row["due"])} if row["due"] else {}
        )
        ids[number] = actors.write("POST", path, body)["id"]
        if "voided" in happens:
            actors.write("POST", f"{path}/{ids[number]}/void")
        if path == "/credit_notes":
            split = {"type": "credit_note", "document_type": "invoice", "invoice": ids["INV-2"]}
            split |= {"credit_note": ids[number], "amount": Decimal(row["amount"])}
            actors.write("POST", "/payments", shared | {"amount": 0, "applied_to": [split]})


def _pay(actors: Actors, body: dict[str, Any], happens: str, ids: dict[str, int]) -> None:
    invoice, amount = re.findall(r"(INV-\d) ([\d.]+)", happens)[0]
    split = {"type": "invoice", "invoice": ids[invoice], "amount": Decimal(amount)}
    payment = actors.write("POST", "/payments", body | {"applied_to": [split]})
    if "voided" in happens:
        actors.write("DELETE", f"/payments/{payment['id']}")


def _seconds(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
