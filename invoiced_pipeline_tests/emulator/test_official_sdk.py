"""The official Python SDK against the emulator: an independent client."""

import invoiced
import pytest
from invoiced import errors
from invoiced.operations import ListableObject

from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.seed import generate

LISTED = (
    "Customer",
    "Invoice",
    "CreditNote",
    "Estimate",
    "Subscription",
    "Plan",
    "Payment",
    "CreditBalanceAdjustment",
    "Item",
    "Task",
    "Event",
    "Coupon",
    "TaxRate",
    "Note",
    "Webhook",
)


@pytest.fixture
def sdk(api, monkeypatch):
    monkeypatch.setattr(invoiced.Client, "ApiBase", api.emulator.url)
    return invoiced.Client(api.emulator.api_key)


def every_page(collection, per_page):
    """Returns the ids on all pages of a list, the number of pages and the total count."""
    seen, page = [], 1
    while True:
        records, metadata = collection.list(per_page=per_page, page=page)
        seen += [str(record.id) for record in records]
        if "next" not in metadata.links:
            return seen, page, metadata.total_count
        page += 1


def test_every_list_of_the_sdk_is_tested(sdk):
    lists = {name: each for name, each in vars(sdk).items() if isinstance(each, ListableObject)}
    known = {name for name, each in lists.items() if each.endpoint().strip("/") in KINDS}
    assert known == {*LISTED}
    # The SDK has no lists for these.
    listed = {collection for collection, kind in KINDS.items() if kind.listed}
    assert listed - {lists[name].endpoint().strip("/") for name in known} == {
        "transactions",
        "charges",
        "refunds",
        "webhook_attempts",
    }


@pytest.mark.parametrize("name", LISTED)
def test_lists_every_page(api, sdk, name):
    collection = getattr(sdk, name)
    rows = [
        {"id": str(i), "updated_at": i, "type": "a.b", "timestamp": 1_699_999_999, "data": {}}
        for i in range(1, 8)
    ]
    api.emulator.store.put_many(collection.endpoint().strip("/"), rows)
    seen, pages, total = every_page(collection, per_page=3)
    assert sorted(seen) == [str(i) for i in range(1, 8)]
    assert (pages, total) == (3, 7)


def test_lists_every_page_of_a_customers_contacts(api, sdk):
    api.emulator.store.put_many("customers", [{"id": 1}, {"id": 2}])
    rows = [{"id": i, "object": "contact", "customer": 1 + i % 2} for i in range(1, 15)]
    api.emulator.store.put_many("contacts", rows)
    seen, pages, total = every_page(sdk.Customer.retrieve(2).contacts(), per_page=3)
    assert sorted(seen, key=int) == [str(i) for i in range(1, 15, 2)]
    assert (pages, total) == (3, 7)


def test_next_links_in_order_of_updated_at(api, sdk):
    rows = [{"id": i, "updated_at": 1_600_000_000 - i} for i in range(1, 251)]
    api.emulator.store.put_many("customers", rows)
    options = {"include": "updated_at", "sort": "updated_at asc", "updated_after": 1_500_000_000}
    records, metadata = sdk.Customer.list(**options)
    seen = [record.updated_at for record in records]
    while "next" in metadata.links:
        path = metadata.links["next"].removeprefix(api.emulator.url)
        response = sdk.request("GET", path)
        metadata = invoiced.operations.List(
            response["headers"]["link"], response["headers"]["x-total-count"]
        )
        seen += [record["updated_at"] for record in response["body"]]
    assert len(seen) == 250
    assert seen == sorted(seen)


def test_creates_changes_and_deletes(sdk):
    customer = sdk.Customer.create(name="Acme", payment_terms="NET 30")
    customer.name = "Acme Inc"
    assert customer.save()
    contact = customer.contacts().create(name="Jan")
    assert [each.id for each in customer.contacts().list()[0]] == [contact.id]
    contact.title = "CFO"
    assert contact.save()
    assert contact.delete()
    task = sdk.Task.create(name="Call", action="phone", due_date=5, customer_id=customer.id)
    assert task.delete()
    adjustment = sdk.CreditBalanceAdjustment.create(customer=customer.id, amount=50)
    assert customer.balance()["available_credits"] == 50
    assert adjustment.delete()
    item = sdk.Item.create(id="delivery", name="Delivery", unit_cost=10)
    assert item.delete()


def test_documents_and_payments(sdk):
    customer = sdk.Customer.create(name="Acme")
    lines = [{"name": "Paper", "quantity": 3, "unit_cost": 15}]
    invoice = sdk.Invoice.create(customer=customer.id, items=lines)
    assert invoice.total == 45
    invoice.notes = "Thanks"
    assert invoice.save()
    payment = sdk.Payment.create(
        amount=45, applied_to=[{"type": "invoice", "invoice": invoice.id, "amount": 45}]
    )
    assert sdk.Invoice.retrieve(invoice.id).paid
    assert payment.delete()
    assert payment.voided
    assert invoice.void()
    assert invoice.delete()
    note = sdk.CreditNote.create(customer=customer.id, items=lines)
    assert note.void()
    estimate = sdk.Estimate.create(customer=customer.id, items=lines)
    assert estimate.invoice().total == 45
    other = sdk.Estimate.create(customer=customer.id, items=lines)
    assert other.void()


def test_payment_sources_charges_and_refunds(api, sdk):
    customer = sdk.Customer.create(name="Acme", autopay=True)
    source = customer.payment_sources().create(method="ach", gateway_token="tok_bank")
    assert (source.object, source.customer_id) == ("bank_account", customer.id)
    card = customer.payment_sources().create(gateway_token="tok_card", make_default=True)
    assert [each.id for each in customer.payment_sources().list()[0]] == [card.id, source.id]
    lines = [{"name": "Paper", "unit_cost": 45}]
    invoice = sdk.Invoice.create(customer=customer.id, items=lines)
    assert invoice.pay()
    assert invoice.paid
    split = {"type": "credit", "amount": 20}
    payment = sdk.Charge.create(customer=customer.id, amount=20, applied_to=[split])
    assert (payment.method, payment.charge["payment_source"]["last4"]) == ("credit_card", "4242")
    api.emulator.clock.advance(86_400)
    refund = sdk.Refund.create(payment.charge["id"], amount=5)
    assert (refund.status, refund.amount) == ("succeeded", 5)
    assert card.delete()
    assert sdk.Customer.retrieve(customer.id).payment_source is None


def test_notes_plans_lines_and_messages(sdk):
    customer = sdk.Customer.create(name="Acme", email="a@example.org", phone="+1")
    note = sdk.Note.create(customer_id=customer.id, notes="Called")
    note.notes = "Called twice"
    assert note.save()
    assert [each.notes for each in customer.list_notes().list()[0]] == ["Called twice"]
    assert note.delete()
    line = customer.line_items().create(name="Delivery", unit_cost=10)
    line.quantity = 2
    assert line.save()
    invoice = customer.invoice()
    assert invoice.total == 20
    (email,) = invoice.send(subject="Hello")
    assert email.state == "sent"
    assert [len(invoice.send_sms()), len(invoice.send_letter())] == [1, 1]
    plan = invoice.payment_plan().create(installments=[{"date": 5, "amount": 20}])
    assert invoice.payment_plan().retrieve().id == plan.id
    assert invoice.payment_plan().retrieve().cancel()
    file = sdk.File.create(name="a.pdf", url="https://example.org/a.pdf")
    other = sdk.Invoice.create(
        customer=customer.id, items=[{"unit_cost": 1}], attachments=[file.id]
    )
    assert [each.id for each in other.attachments()[0]] == [file.id]
    assert customer.consolidate_invoices().total == 21
    assert [len(customer.send_statement()), len(customer.send_statement_sms())] == [1, 1]


def test_lists_with_the_parameters_of_the_pipeline(api, sdk):
    for collection, record in generate(seed=2, customers=3, now=1_700_000_000):
        api.emulator.store.put(collection, record)
    tasks, metadata = sdk.Task.list(
        advanced_filter='[{"field":"updated_at","operator":">=","value":"2023-01-01 00:00:00"}]',
        sort="updated_at desc,id desc",
    )
    assert metadata.total_count == len(tasks) > 0
    assert [task.updated_at for task in tasks] == sorted(
        [t.updated_at for t in tasks], reverse=True
    )
    notes, _ = sdk.Note.list(updated_after=tasks[-1].updated_at, sort="updated_at asc")
    assert {note.object for note in notes} == {"note"}
    for kind in (sdk.Item, sdk.Coupon, sdk.TaxRate):
        listed = [kind.list(archived=flag, include="archived,internal_id")[0] for flag in (0, 1)]
        assert [{each.archived for each in records} for records in listed] == [{False}, {True}]
        live, archived = ({each.id for each in records} for records in listed)
        assert live & archived  # an id that is used again
        assert archived - live
        assert kind.retrieve(min(archived - live)).id == min(archived - live)


def test_coupons_tax_rates_and_webhooks(sdk):
    coupon = sdk.Coupon.create(id="five", name="Five", value=5)
    rate = sdk.TaxRate.create(id="vat", name="VAT", value=20, inclusive=True)
    coupon.name = "5 %"
    assert coupon.save()
    assert [coupon.delete(), rate.delete()] == [True, True]
    webhook = sdk.Webhook.create(url="https://example.org/hook")
    assert webhook.delete()


def test_subscription(sdk):
    customer = sdk.Customer.create(name="Acme")
    plan = sdk.Plan.create(id="pro", name="Pro", amount=9, interval="month", interval_count=1)
    subscription = sdk.Subscription.create(customer=customer.id, plan=plan.id)
    assert subscription.delete()
    assert subscription.status == "canceled"
    # Last: the SDK's preview changes the address of the object it is called on.
    assert sdk.Subscription.preview(customer=customer.id, plan=plan.id)["mrr"] == 9
    assert plan.delete()


def test_idempotency_key(api, sdk):
    for _ in range(2):
        sdk.Customer.create(name="Acme", idempotency_key="only-once")
    assert api.emulator.store.count("customers") == 1


def test_error_classes(api, sdk):
    with pytest.raises(errors.InvalidRequestError, match="Invoice was not found: 9"):
        sdk.Invoice.retrieve(9)
    with pytest.raises(errors.InvalidRequestError, match="Name is missing"):
        sdk.Customer.create()
    with pytest.raises(errors.AuthenticationError):
        invoiced.Client("wrong").Customer.list()
    api.emulator.faults.next("rate429")
    with pytest.raises(errors.RateLimitError):
        sdk.Customer.list()
    api.emulator.faults.next("rate5xx")
    with pytest.raises(errors.ApiError):
        sdk.Customer.list()
    api.emulator.faults.next("drop_connection")
    with pytest.raises(errors.ApiConnectionError):
        sdk.Customer.list()
