"""Fields that invoices, credit notes and estimates share."""

from dataclasses import dataclass

from invoiced_emulator.seed.documents.line_items import add_up, discount, tax
from invoiced_emulator.seed.simulation import company
from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.kinds import CREDIT_NOTE, ESTIMATE, INVOICE, Kind
from invoiced_emulator.seed.simulation.simulation import Simulation

_NOTES = (
    "Thank you for your business!",
    "Merci beaucoup, à bientôt 🙂",
    "ご請求書をお送りします。",
    'Quote "A/7", see the\nattached list; 50 % up front, 50 % on delivery.',
)


_BLANK: Record = {
    "draft": False,
    "closed": False,
    "network_document_id": None,
    "network_document": None,
    "voided": False,
    "sent": False,
    "viewed": False,
    "date_voided": None,
}


_NAMES = {
    INVOICE: ("Invoice", "INV"),
    CREDIT_NOTE: ("Credit Note", "CN"),
    ESTIMATE: ("Estimate", "EST"),
}
"""Name and start of the number of each kind of document."""


@dataclass(frozen=True, slots=True)
class Content:
    """What the totals of a document are computed from."""

    lines: list[Record]
    coupon: Record | None = None
    tax_rate: Record | None = None


def document(simulation: Simulation, account: Account, kind: Kind, content: Content) -> Record:
    """Returns the fields that all documents share, with their totals."""
    lines, coupon, tax_rate = content.lines, content.coupon, content.tax_rate
    name, prefix = _NAMES[kind]
    random = simulation.random
    currency = account.currency
    sums = add_up(lines, currency, coupon=coupon, tax_rate=tax_rate)
    link = simulation.link(kind.collection)
    return {
        **_BLANK,
        "customer": account.id,
        "name": name,
        "number": simulation.next_number(prefix),
        "currency": currency,
        "date": simulation.clock,
        "purchase_order": f"PO-{random.randrange(100_000)}" if random.random() < 0.2 else None,
        "notes": random.choice(_NOTES) if random.random() < 0.15 else None,
        "items": lines,
        "discounts": [discount(simulation, sums.discount, coupon)] if sums.discount else [],
        "taxes": [tax(simulation, sums.tax, tax_rate)] if tax_rate and lines else [],
        "shipping": [],
        "subtotal": sums.subtotal,
        "total": sums.total,
        "url": link,
        "pdf_url": f"{link}/pdf",
        "metadata": {"department": "sales"} if random.random() < 0.1 else {},
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
    }


def voided(moment: int) -> Record:
    """Returns the fields of a credit note or estimate that change when it is voided."""
    return {
        "voided": True,
        "date_voided": moment,
        "status": "voided",
        "url": None,
        "pdf_url": None,
    }


def draw_coupon(simulation: Simulation, account: Account) -> Record | None:
    """Returns a coupon for some documents; a fixed amount only in its own currency."""
    if simulation.random.random() >= 0.12:
        return None
    coupon = simulation.random.choice(simulation.catalog.coupons)
    usable = coupon["is_percent"] or coupon["currency"] == account.currency
    return coupon if usable else None


def ship_to(simulation: Simulation, account: Account) -> Record | None:
    """Returns a shipping address for some documents."""
    random = simulation.random
    if random.random() >= 0.08:
        return None
    return {
        "name": account.record["name"],
        **company.address(random, account.currency, company.person_name(random)),
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
    }
