"""Estimates: quoted, then approved, declined, expired, voided or turned into an invoice."""

from invoiced_emulator.seed.documents.documents import document, draw_coupon, ship_to, voided
from invoiced_emulator.seed.documents.invoices import issue_invoice
from invoiced_emulator.seed.documents.line_items import draw_lines, line_item
from invoiced_emulator.seed.ledger import company
from invoiced_emulator.seed.ledger.account import Account, Record, Split
from invoiced_emulator.seed.ledger.business_time import DAY, HOUR, office_hours
from invoiced_emulator.seed.ledger.history import Step, advance
from invoiced_emulator.seed.ledger.kinds import ESTIMATE
from invoiced_emulator.seed.ledger.ledger import Ledger
from invoiced_emulator.seed.ledger.money import share
from invoiced_emulator.seed.payments.payments import Receipt, receive

FATES = (
    "invoiced",
    "approved",
    "declined",
    "expired",
    "sent",
    "viewed",
    "not_sent",
    "voided",
    "draft",
    "deleted",
)
"""What can become of an estimate."""

_WEIGHTS = (40, 12, 12, 14, 6, 4, 3, 4, 2, 3)


def issue_estimate(ledger: Ledger, account: Account, fate: str | None = None) -> None:
    """Writes an estimate now and follows it to the end of the story."""
    if fate is None:
        fate = ledger.random.choices(FATES, _WEIGHTS)[0]
    estimate = _estimate(ledger, account, fate)
    ledger.announce(ESTIMATE, "created", estimate, account)
    viewed_at = office_hours(ledger.random, ledger.clock + HOUR + ledger.random.randrange(3 * DAY))
    decided_at = office_hours(ledger.random, viewed_at + ledger.random.randrange(HOUR, 8 * DAY))
    if fate == "deleted" and decided_at <= ledger.now:
        ledger.at(decided_at, ledger.announce, ESTIMATE, "deleted", estimate, account)
        return
    steps: list[Step] = []
    if fate in ("viewed", "approved", "declined", "invoiced"):
        steps.append((viewed_at, "viewed", {"viewed": True, "status": "viewed"}))
    if fate in ("approved", "invoiced"):
        steps.append((decided_at, "approved", _approval(ledger, decided_at)))
        _pay_deposit(ledger, account, estimate, decided_at + HOUR, steps)
    elif fate == "declined":
        steps.append((decided_at, "updated", {"closed": True, "status": "declined"}))
    elif fate == "voided":
        steps.append((decided_at, "updated", voided(decided_at)))
    elif fate == "expired":
        steps.append((estimate["expiration_date"] + 60, "updated", {"status": "expired"}))
    state = advance(ledger, ESTIMATE, estimate, steps, account=account)
    invoiced_at = office_hours(ledger.random, decided_at + DAY)
    if fate == "invoiced" and invoiced_at <= ledger.now:
        # Handed out once the invoice has its id.
        ledger.at(invoiced_at, _invoice_estimate, ledger, account, state)
    else:
        ledger.give("estimates", state)


def _invoice_estimate(ledger: Ledger, account: Account, estimate: Record) -> None:
    lines = [
        line_item(
            ledger,
            line["name"],
            line["quantity"],
            line["unit_cost"],
            account.currency,
            item_type=line["type"],
        )
        for line in estimate["items"]
    ]
    invoice = issue_invoice(ledger, account, lines)
    fields: Record = {"invoice": invoice["id"], "status": "invoiced", "closed": True}
    step: Step = (ledger.clock, "updated", fields)
    ledger.give("estimates", advance(ledger, ESTIMATE, estimate, [step], account=account))


def _pay_deposit(
    ledger: Ledger, account: Account, estimate: Record, moment: int, steps: list[Step]
) -> None:
    if estimate["deposit"]:
        split = Split("estimate", estimate["deposit"], estimate)
        ledger.at(moment, receive, ledger, account, Receipt(splits=(split,), method="ach"))
        steps.append((moment, "updated", {"deposit_paid": True}))


def _approval(ledger: Ledger, moment: int) -> Record:
    signed = company.initials(company.person_name(ledger.random))
    return {
        "status": "approved",
        "viewed": True,
        "approved": signed,
        "approval": {
            "id": ledger.next_id("approval", 10),
            "timestamp": moment,
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
            "ip": f"203.0.113.{ledger.random.randrange(1, 255)}",
            "initials": signed,
        },
    }


def _estimate(ledger: Ledger, account: Account, fate: str) -> Record:
    lines = draw_lines(ledger, account)
    shared = document(
        ledger,
        account,
        lines,
        title="Estimate",
        collection="estimates",
        number=ledger.next_number("EST"),
        coupon=draw_coupon(ledger, account),
        tax_rate=account.tax_rate,
    )
    draft, sent = fate == "draft", fate not in ("draft", "not_sent")
    wants_deposit = ledger.random.random() < 0.25
    days = ledger.random.choice((14, 30, 60))
    return {
        **shared,
        "id": ledger.next_id("estimate", ESTIMATE.first_id),
        "object": "estimate",
        "invoice": None,
        "draft": draft,
        "sent": sent,
        "last_sent": ledger.clock if sent else None,
        "status": "draft" if draft else "sent" if sent else "not_sent",
        "expiration_date": ledger.clock + days * DAY if fate != "not_sent" else None,
        "payment_terms": account.terms,
        "approved": None,
        "approval": None,
        "deposit": share(shared["total"], 20, account.currency) if wants_deposit else 0,
        "deposit_paid": False,
        "ship_to": ship_to(ledger, account),
    }
