"""A warehouse with made-up rows of the models and of `_sync_log`, and the report's tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from invoiced_pipeline.catalog.currencies import CURRENCIES as CURRENCY_DECIMALS
from invoiced_pipeline.models.manifest import read_manifest
from invoiced_pipeline.models.project import END_MODELS, models_schema
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.system_tables import SyncLogEntry, write_sync_log

DATASET = "invoiced"
NOW = datetime(2026, 3, 18, 12, 30, tzinfo=UTC)
AS_OF = date(2026, 3, 18)
CURRENCIES = ("usd", "eur", "jpy", "kwd")
"""With two, none and three decimals; each has fewer invoices than the one before."""

NASTY = "<script>alert('paid')</script> & \"Sons\""

Row = Mapping[str, Any]


def make_models(database: Database, rows: Mapping[str, Sequence[Row]]) -> None:
    """Makes the tables of all end models, with some rows; other columns are NULL."""
    nodes = read_manifest(database.kind)["nodes"]
    with database.session(models_schema(DATASET)) as session:
        for model in END_MODELS:
            columns = nodes[f"model.dbt_invoiced.{model}"]["columns"].values()
            listed = ", ".join(f"{each['name']} {each['data_type']}" for each in columns)
            session.run(f"create table {model} ({listed})")
            for row in rows.get(model, ()):
                places = ", ".join(["%s"] * len(row))
                names = ", ".join(row)
                session.run(f"insert into {model} ({names}) values ({places})", [*row.values()])


def model_rows(currencies: Sequence[str] = CURRENCIES) -> dict[str, list[Row]]:
    """Rows of the models for some currencies, whose amounts differ by currency and month."""
    found: dict[str, list[Row]] = {model: [] for model in END_MODELS}
    for index, currency in enumerate(currencies):
        for model, rows in _of_currency(currency, len(currencies) - index).items():
            found[model] += rows
    return found


def _of_currency(currency: str, weight: int) -> dict[str, list[Row]]:
    months = [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    ends = [date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28), AS_OF]
    units = 3 * Decimal(1).scaleb(-CURRENCY_DECIMALS[currency])

    def amount(number: int) -> Decimal:
        """Eighths, so that every amount has the decimals of its currency, and no more."""
        return Decimal(number) + number // 8 * weight + units

    def aging(end: date, step: int, customer: int) -> Row:
        buckets = [amount(each * step * customer) for each in (1000, 400, 304, 200, 104)]
        names = ("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90")
        return {
            "as_of_date": end, "is_today": end == AS_OF, "customer_id": customer,
            "currency": currency, **dict(zip(names, buckets, strict=True)),
            "total_open": sum(buckets), "overdue": sum(buckets[1:]),
            "unapplied_cash": amount(7), "open_credits": amount(3),
        }  # fmt: skip

    return {
        "invoiced__ar_ledger": [
            {"movement_type": "invoice", "movement_date": each, "currency": currency}
            for each in months * weight
        ],
        "invoiced__ar_aging": [
            aging(end, step, customer)
            for step, end in enumerate(ends, 1)
            for customer in (1, 2)
        ],
        "invoiced__ar_kpis_monthly": [
            {
                "month": month, "currency": currency, "as_of_date": end,
                "billed": amount(5000 * step), "collected": amount(4000 * step),
                "closing": amount(6000 * step), "dso": Decimal(30 + step),
                "best_possible_dso": Decimal(20 + step),
                "collection_effectiveness": Decimal("71.25") + step,
                **(
                    {
                        "dso_3m": Decimal("40.45") + step, "best_possible_dso_3m": Decimal(21),
                        "collection_effectiveness_3m": Decimal("80.50"),
                    }
                    if step > 2
                    else {}
                ),
            }
            for step, (month, end) in enumerate(zip(months, ends, strict=True), 1)
        ],
        "invoiced__cash_receipts": [
            {
                "currency": currency, "method": method, "receipt_date": month, "status": status,
                "applied_to": applied_to, "amount": amount(value),
            }
            for month in months
            for method, status, applied_to, value in (
                ("wire_transfer", "succeeded", "invoice", 2000),
                ("ach", "succeeded", "credit", 900),
                ("check", "succeeded", "invoice", 500), ("cash", "succeeded", "invoice", 300),
                ("paypal", "succeeded", "unapplied", 200), ("other", "succeeded", "invoice", 100),
                ("credit_card", "pending", "invoice", 7777), ("cash", "succeeded", "refund", -50),
            )
        ],
        "invoiced__customer_overview": [
            {
                "customer_id": customer, "currency": currency, "overdue": amount(1000 - customer),
                "customer_name": NASTY if customer == 1 else f"Customer {customer}",
                "customer_number": f"C-{customer}", "open_amount": amount(2000),
                "average_days_late": Decimal("-1.50"), "last_payment_date": months[-1],
            }
            for customer in range(1, 13)
        ],
        "invoiced__ar_open_items": [
            {
                "as_of_date": AS_OF, "is_today": True, "currency": currency, "due_date": due,
                "open_amount": amount(value), "closed": closed,
                "days_late": max(0, (AS_OF - due).days) if due else 0,
            }
            for due, value, closed in (
                (AS_OF - timedelta(days=9), 410, False), (AS_OF, 120, False),
                (AS_OF + timedelta(days=8), 230, False), (AS_OF + timedelta(days=200), 340, False),
                (None, 560, False), (AS_OF - timedelta(days=99), 999, True),
            )
        ],
        "invoiced__mrr_movements": [
            {
                "month": month, "currency": currency, "customer_id": 1, "opening_mrr": amount(100),
                "new_mrr": amount(10), "expansion_mrr": amount(5), "contraction_mrr": amount(4),
                "churned_mrr": amount(3), "reactivated_mrr": amount(2), "mrr": amount(110),
                "net_revenue_retention": Decimal("98.00"),
            }
            for month in months
        ],
    }  # fmt: skip


_ENTRY = SyncLogEntry(
    run_id="run-0001",
    connection="Invoiced",
    table_name="invoices",
    mode="sync",
    window_start=None,
    window_end=NOW - timedelta(hours=2),
    started_at=NOW - timedelta(hours=2),
    finished_at=NOW - timedelta(hours=2) + timedelta(seconds=75),
    status="succeeded",
    rows=0,
    new_rows=0,
    deleted_rows=0,
    rejected_rows=0,
    pages=1,
    requests=2,
    retries=0,
    wait_seconds=0.5,
    load_seconds=0.5,
    error=None,
    coverage_before="nothing",
    coverage_after="some",
)


def log_runs(database: Database) -> None:
    """Logs a first load, a sync of which a table failed, a sweep and two skipped starts."""
    day = timedelta(days=1)

    def entry(days: int, run_id: str, **fields: Any) -> SyncLogEntry:
        at = {name: getattr(_ENTRY, name) - days * day for name in ("started_at", "finished_at")}
        end = _ENTRY.finished_at - days * day
        return replace(_ENTRY, run_id=run_id, **{"window_end": end, **at, **fields})

    again = {"coverage_before": "some"}
    why = {"status": "failed", "error": f"the API answered 500: {NASTY}", "window_end": None}
    skipped = {"table_name": None, "status": "skipped", "error": "run 42 is writing"}
    entries = [
        entry(3, "first", rows=2500),
        entry(3, "first", table_name="customers", rows=300, rejected_rows=2),
        entry(1, "second", rows=17, deleted_rows=4, **again),
        entry(1, "second", table_name="customers", **again, **why, coverage_after="some"),
        entry(0, "third", mode="sweep", rows=1, deleted_rows=3, **again),
        *(
            entry(0, "", started_at=at, finished_at=at, **skipped)
            for at in (NOW - timedelta(hours=5), NOW - timedelta(hours=4))
        ),
    ]
    write_sync_log(database, DATASET, entries)


@dataclass
class FoundTable:
    """A table of the page."""

    headings: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def column(self, heading: str) -> list[str]:
        """The cells of a column."""
        at = self.headings.index(heading)
        return [row[at] for row in self.rows]

    def numbers(self, heading: str) -> list[Decimal | None]:
        """The numbers of a column."""
        return [number(cell) for cell in self.column(heading)]


def number(cell: str) -> Decimal | None:
    """The number that a cell shows; None if it is empty."""
    text = cell.replace(",", "").replace("\N{MINUS SIGN}", "-")
    return Decimal(text) if text else None


class Page(HTMLParser):
    """The page's titles and tables by the id of their figure, and all elements and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, FoundTable] = {}
        self.titles: dict[str, str] = {}
        self.elements: set[str] = set()
        self.links: set[str] = set()
        self._figure = ""
        self._into: list[str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        given = dict(attrs)
        self.links |= {str(given[name]) for name in ("href", "src", "xlink:href") if name in given}
        if tag == "figure":
            self._figure = str(given["id"])
        elif tag == "table":
            self.tables[self._figure] = FoundTable()
        elif tag == "tr":
            self.tables[self._figure].rows.append([])
        elif tag in {"th", "td"}:
            self._into = self.tables[self._figure].rows[-1]
            self._into.append("")
        elif tag == "h3":
            self._into = [""]

    def handle_endtag(self, tag: str) -> None:
        if tag == "h3" and self._into:
            self.titles[self._figure] = self._into[-1]
        elif tag == "table":
            table = self.tables[self._figure]
            table.headings = table.rows.pop(0)
        if tag in {"h3", "th", "td"}:
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data
