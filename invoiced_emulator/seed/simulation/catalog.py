"""The company's items, coupons, tax rates and plans, with their archived versions."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from invoiced_emulator.seed.simulation.account import Record
from invoiced_emulator.seed.simulation.business_time import DAY
from invoiced_emulator.seed.simulation.money import CURRENCIES, Number, converted

_ITEMS = (
    ("delivery", "Delivery", "service", 35),
    ("installation", "Installation", "service", 180),
    ("consulting-hour", "Consulting, hour", "service", Decimal("142.5")),
    ("training-day", "Training day", "service", 1250),
    ("paper-case", "Copy paper, case", "product", 45),
    ("toner", "Toner cartridge", "product", Decimal("79.95")),
    ("desk", "Desk, height-adjustable", "product", 649),
    ("cable", "Cable, per metre", "product", Decimal("1.2345")),
    ("gift-card", "Gift card", "product", 25),
    ("hosting", "Hosting", "service", Decimal("19.9")),
)

_COUPONS = (
    ("NONPROFIT20", "Non-profit discount", 20, True),
    ("WELCOME5", "Welcome", 5, True),
    ("LOYAL125", "Loyal customer", Decimal("12.5"), True),
    ("TENOFF", "Ten off", 10, False),
)

_TAX_RATES = (
    ("sales-tax", "Sales tax", Decimal("8.25")),
    ("vat", "VAT", 19),
    ("consumption-tax", "消費税", 10),
    ("gulf-vat", "ضريبة القيمة المضافة", 5),
    ("recycling-levy", "Recycling levy", Decimal("1.5")),
    ("vat-included", "VAT (included)", 7),
)

_TAX_OF_CURRENCY = {
    "bhd": "gulf-vat",
    "eur": "vat",
    "jpy": "consumption-tax",
    "kwd": "gulf-vat",
    "usd": "sales-tax",
}

_USD_PLANS = (
    ("starter", "Starter", 49, "month", 1),
    ("growth", "Growth", 149, "month", 1),
    ("scale", "Scale", Decimal("107.305"), "month", 1),
    ("quarterly-support", "Support, quarterly", 300, "month", 3),
    ("enterprise", "Enterprise", 4800, "year", 1),
    ("extra-seat", "Extra seat", 12, "month", 1),
    ("priority-support", "Priority support", Decimal("29.5"), "month", 1),
)

_TIERS = (
    {"min_qty": 0, "max_qty": 10, "unit_cost": 8},
    {"min_qty": 11, "max_qty": 50, "unit_cost": Decimal("6.5")},
    {"min_qty": 51, "max_qty": None, "unit_cost": 5},
)


class Catalog:
    """The catalog objects; hidden fields are separate, since documents embed the objects."""

    def __init__(self, *, start: int, now: int, tiers: bool) -> None:
        self._start = start - 200 * DAY
        self._now = now
        self._internal_id = 300
        self._entries: list[tuple[str, Record, Record]] = []
        self._subscribers: dict[int, int] = defaultdict(int)
        self._versions: dict[int, Record] = {}
        self.items = [self._item(*row) for row in _ITEMS]
        self.coupons = [
            self._coupon(coupon_id, name, value, is_percent=is_percent)
            for coupon_id, name, value, is_percent in _COUPONS
        ]
        self.tax_rates = [self._tax_rate(*row) for row in _TAX_RATES]
        self._add_plans(tiers=tiers)
        self._add_versions()

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yields all catalog objects as Invoiced stores them."""
        for collection, shown, hidden in self._entries:
            record = {**shown, **hidden}
            if collection == "plans":
                record["num_subscriptions"] = self._subscribers[hidden["internal_id"]]
            yield collection, record

    @property
    def levy(self) -> Record:
        """The tax on the lines of some products."""
        return next(rate for rate in self.tax_rates if rate["id"] == "recycling-levy")

    def tax_rate_of(self, currency: str) -> Record:
        """Returns the default tax of customers with a currency."""
        wanted = _TAX_OF_CURRENCY[currency]
        return next(rate for rate in self.tax_rates if rate["id"] == wanted)

    def plans_of(self, currency: str) -> list[tuple[int, Record]]:
        """Returns the versions of plans for subscriptions in a currency, without addons."""
        return [
            (internal_id, plan)
            for internal_id, plan in self._versions.items()
            if plan["currency"] == currency and "addon" not in plan["metadata"]
        ]

    def addon_plans_of(self, currency: str) -> list[Record]:
        """Returns the plans that are sold as addons."""
        return [
            plan
            for plan in self._versions.values()
            if plan["currency"] == currency and "addon" in plan["metadata"]
        ]

    def version(self, internal_id: int) -> Record:
        """Returns a version of a plan."""
        return self._versions[internal_id]

    def subscribe(self, internal_id: int) -> None:
        """Counts a subscription to a version of a plan."""
        self._subscribers[internal_id] += 1

    def _store(
        self, collection: str, record: Record, *, age_days: int = 0, archived: bool = False
    ) -> Record:
        self._internal_id += 1
        record["created_at"] = self._start + self._internal_id * 37
        changed = self._now - age_days * DAY if age_days else record["created_at"]
        record["updated_at"] = max(changed, record["created_at"])
        hidden = {"archived": archived, "internal_id": self._internal_id}
        self._entries.append((collection, record, hidden))
        return record

    def _item(
        self, name_id: str, name: str, item_type: str, unit_cost: Number, **version: Any
    ) -> Record:
        record: Record = {
            "id": name_id,
            "object": "item",
            "name": name,
            "type": item_type,
            "currency": "usd",
            "unit_cost": unit_cost,
            "description": None,
            "gl_account": "4000" if item_type == "product" else "4100",
            "discountable": name_id != "gift-card",
            "taxable": name_id != "gift-card",
            "taxes": [],
            "avalara_tax_code": None,
            "avalara_location_code": None,
            "metadata": {},
        }
        age = {"age_days": 120} if name_id == "toner" else {}
        return self._store("items", record, **age, **version)

    def _coupon(
        self,
        name_id: str,
        name: str,
        value: Number,
        *,
        is_percent: bool = True,
        **version: Any,
    ) -> Record:
        record: Record = {
            "id": name_id,
            "object": "coupon",
            "name": name,
            "currency": None if is_percent else "usd",
            "value": value,
            "is_percent": is_percent,
            "exclusive": False,
            "expiration_date": None,
            "max_redemptions": 0,
            "duration": 0,
            "metadata": {},
        }
        return self._store("coupons", record, **version)

    def _tax_rate(self, name_id: str, name: str, value: Number, **version: Any) -> Record:
        record: Record = {
            "id": name_id,
            "object": "tax_rate",
            "name": name,
            "currency": None,
            "value": value,
            "is_percent": True,
            "inclusive": name_id == "vat-included",
            "metadata": {},
        }
        return self._store("tax_rates", record, **version)

    def _add_versions(self) -> None:
        """Adds archived objects, whose ids are used again or not; no document uses them."""
        self._item("courier", "Courier", "service", 12, age_days=420, archived=True)
        self._item("courier", "Courier, next day", "service", 18, age_days=419)
        self._item("fax-roll", "Fax roll", "product", 9, age_days=400, archived=True)
        self._item("fax-roll", "Fax roll, long", "product", 11, age_days=80, archived=True)
        self._coupon("SPRING", "Spring", 10, age_days=410, archived=True)
        self._coupon("SPRING", "Spring, again", 15, age_days=409)
        self._coupon("OPENING", "Opening", 25, is_percent=False, age_days=70, archived=True)
        self._tax_rate("city-tax", "City tax", 2, age_days=405, archived=True)
        self._tax_rate("city-tax", "City tax", Decimal("2.5"), age_days=404)
        self._tax_rate("old-vat", "VAT, old rate", 16, age_days=60, archived=True)

    def _add_plans(self, *, tiers: bool) -> None:
        for plan_id, name, amount, interval, count in _USD_PLANS:
            self._plan(plan_id, name, amount=amount, interval=interval, interval_count=count)
        for currency in CURRENCIES:
            if currency != "usd":
                for plan_id, name, amount, interval, count in (_USD_PLANS[1], _USD_PLANS[5]):
                    self._plan(
                        f"{plan_id}-{currency}",
                        name,
                        amount=converted(amount, currency),
                        currency=currency,
                        interval=interval,
                        interval_count=count,
                    )
        self._plan("retainer", "Retainer", amount=None, pricing_mode="custom")
        if tiers:
            self._plan(
                "seats",
                "Seats",
                amount=0,
                pricing_mode="tiered",
                tiers=[dict(tier) for tier in _TIERS],
            )
            self._plan(
                "api-calls",
                "API calls",
                amount=0,
                pricing_mode="volume",
                tiers=[dict(tier) for tier in _TIERS],
            )
        self._plan("legacy", "Legacy", amount=39, age_days=500, archived=True)
        # Archived plans free their id: `basic` is used again by an active plan, `beta` is not.
        self._plan("basic", "Basic", amount=19, age_days=430, archived=True)
        self._plan("basic", "Basic", amount=24, age_days=428)
        self._plan("beta", "Beta", amount=5, age_days=300, archived=True)
        self._plan("beta", "Beta 2", amount=9, age_days=90, archived=True)

    def _plan(
        self, plan_id: str, name: str, *, age_days: int = 0, archived: bool = False, **fields: Any
    ) -> None:
        addon = plan_id.startswith(("extra-seat", "priority-support"))
        record: Record = {
            "id": plan_id,
            "object": "plan",
            "name": name,
            "currency": "usd",
            "pricing_mode": "per_unit",
            "quantity_type": "constant",
            "interval": "month",
            "interval_count": 1,
            "description": None,
            "notes": None,
            "tiers": None,
            "metadata": {"addon": "1"} if addon else {},
            **fields,
        }
        record["catalog_item"] = "hosting" if record["currency"] == "usd" else None
        self._store("plans", record, age_days=age_days, archived=archived)
        self._versions[self._internal_id] = record
