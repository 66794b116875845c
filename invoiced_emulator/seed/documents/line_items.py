"""Line items, and the totals of documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.money import Number, converted, exact, rounded, share
from invoiced_emulator.seed.simulation.simulation import Simulation

_FREE_TEXT = (
    "Travel expenses",
    "Réparation",
    "Monthly retainer",
    "Custom work, phase 2",
    "作業費",
)
_QUANTITIES: tuple[Number, ...] = (1, 1, 1, 2, 3, 5, 10, Decimal("1.5"), Decimal("0.25"), 24)
_LINE_COUNTS = (1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7, 8, 9, 10, 11, 12)


@dataclass(frozen=True, slots=True)
class Sums:
    """Totals of a document."""

    subtotal: Number
    discount: Number
    tax: Number
    total: Number


def add_up(
    lines: Sequence[Record], currency: str, *, coupon: Record | None, tax_rate: Record | None
) -> Sums:
    """Returns the totals of a document with at most one discount and one (exclusive) tax.

    A line's discounts reduce it, and its taxes are added. The document's discount applies to the
    rest of discountable lines, and its tax to the rest of taxable lines after that.
    """
    subtotal: Number = 0
    on_lines: Number = 0
    line_taxes: Number = 0
    discount_base: Number = 0
    untaxed: Number = 0
    for line in lines:
        less = sum(discount["amount"] for discount in line["discounts"])
        subtotal += line["amount"]
        on_lines += less
        line_taxes += sum(tax["amount"] for tax in line["taxes"])
        if line["discountable"]:
            discount_base += line["amount"] - less
        if not line["taxable"]:
            untaxed += line["amount"] - less
    discount = discount_of(coupon, discount_base, currency)
    net = subtotal - on_lines - discount
    document_tax = share(max(net - untaxed, 0), tax_rate["value"], currency) if tax_rate else 0
    return Sums(exact(subtotal), discount, document_tax, exact(net + line_taxes + document_tax))


def discount_of(coupon: Record | None, base: Number, currency: str) -> Number:
    """Returns the discount of a coupon, at most the amount itself."""
    if coupon is None or base <= 0:
        return 0
    if coupon["is_percent"]:
        return share(base, coupon["value"], currency)
    return exact(min(coupon["value"], base))


def line_item(
    simulation: Simulation, name: str, quantity: Number, unit_cost: Number, currency: str
) -> Record:
    """Returns a line of a document."""
    return {
        "id": simulation.next_id("line_item", 500_000),
        "object": "line_item",
        "type": "service",
        "name": name,
        "description": None,
        "quantity": quantity,
        "unit_cost": unit_cost,
        "amount": rounded(quantity * unit_cost, currency),
        "catalog_item": None,
        "discountable": True,
        "taxable": True,
        "discounts": [],
        "taxes": [],
        "metadata": {},
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
    }


def draw_lines(simulation: Simulation, account: Account, count: int | None = None) -> list[Record]:
    """Returns random lines: mostly a few, mostly from the catalog."""
    random = simulation.random
    if count is None:
        count = _LINE_COUNTS[int(random.random() * len(_LINE_COUNTS))]
    return [_draw_line(simulation, account) for _ in range(count)]


def _draw_line(simulation: Simulation, account: Account) -> Record:
    random = simulation.random
    currency = account.currency
    quantity = _QUANTITIES[int(random.random() * len(_QUANTITIES))]
    if random.random() < 0.7:
        item = simulation.catalog.items[int(random.random() * len(simulation.catalog.items))]
        cost = item["unit_cost"] if currency == "usd" else converted(item["unit_cost"], currency)
        line = line_item(simulation, item["name"], quantity, cost, currency)
        line |= {name: item[name] for name in ("type", "discountable", "taxable")}
        line["catalog_item"] = item["id"]
    else:
        dollars = Decimal(int(random.random() * 90_000) + 500) / 100
        name = _FREE_TEXT[int(random.random() * len(_FREE_TEXT))]
        line = line_item(simulation, name, quantity, converted(dollars, currency), currency)
        line["description"] = f"Order {random.randrange(100_000)}"
    less: Number = 0
    if line["discountable"] and random.random() < 0.04:
        less = share(line["amount"], 5, currency)
        line["discounts"] = [discount(simulation, less, None)]
    if line["taxable"] and line["type"] == "product" and random.random() < 0.05:
        levy = simulation.catalog.levy
        amount = share(line["amount"] - less, levy["value"], currency)
        line["taxes"] = [tax(simulation, amount, levy)]
    return line


def discount(simulation: Simulation, amount: Number, coupon: Record | None) -> Record:
    """Returns a discount as a document or line holds it."""
    return {
        "id": simulation.next_id("discount", 20_000),
        "object": "discount",
        "amount": amount,
        "coupon": coupon,
        "expires": None,
        "from_payment_terms": False,
        "updated_at": simulation.clock,
    }


def tax(simulation: Simulation, amount: Number, tax_rate: Record | None) -> Record:
    """Returns a tax as a document or line holds it."""
    return {
        "id": simulation.next_id("tax", 20_000),
        "object": "tax",
        "amount": amount,
        "tax_rate": tax_rate,
        "updated_at": simulation.clock,
    }
