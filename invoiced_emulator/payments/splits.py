"""Parses and checks the splits of a payment: what it is applied to."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from invoiced_emulator.protocol.errors import ApiError, refused
from invoiced_emulator.protocol.exact_json import number_text
from invoiced_emulator.records.properties import as_decimal
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork

SPLIT_TYPES = (
    "invoice", "estimate", "credit_note", "applied_credit", "credit", "convenience_fee",
    "document_adjustment",
)  # fmt: skip
CONSUMING = frozenset({"invoice", "estimate", "credit", "convenience_fee"})
"""Types that consume the payment's amount."""
DOCUMENTS: Mapping[str, str] = {
    "invoice": "invoices",
    "estimate": "estimates",
    "credit_note": "credit_notes",
}
PREFIX = "An error occurred while trying to apply payment: "
_PARAM = "applied_to"


@dataclass(frozen=True, slots=True)
class Split:
    """A part of a payment."""

    type: str
    amount: Decimal
    documents: tuple[tuple[str, int], ...]
    """(`invoice`, id) and the like: where the amount goes, and the credit note it comes from."""

    @property
    def identity(self) -> tuple[str, tuple[tuple[str, int], ...]]:
        """Equal for splits of one type with the same documents."""
        return self.type, self.documents

    def element(self, transaction: int) -> Record:
        """Returns the split as an element of `applied_to`."""
        element: Record = {"id": transaction, "type": self.type, "amount": self.amount}
        element |= dict(self.documents)
        if self.type in {"credit_note", "applied_credit", "document_adjustment"}:
            target = next((name for name, _ in self.documents if name != "credit_note"), None)
            if target is not None:
                element["document_type"] = target
        return element


def refuse_split(message: str) -> ApiError:
    """Returns the error for a split that is refused."""
    return refused(f"{PREFIX}{message}", _PARAM)


def requested_splits(sent: Any, currency: str) -> list[Split]:
    """Returns the splits of a request.

    Raises:
        ApiError: 400 with param `applied_to`.
    """
    splits = [_split(each, currency) for each in sent or ()]
    seen: set[tuple[str, tuple[tuple[str, int], ...]]] = set()
    for split in splits:
        if split.identity in seen and split.documents:
            name, record_id = split.documents[0]
            raise refuse_split(
                "Each document can only be applied once per payment. "
                f"Detected duplicate ({name}:{record_id})"
            )
        seen.add(split.identity)
    return splits


def check_documents(work: UnitOfWork, splits: list[Split], payment: Record) -> None:
    """Refuses splits whose documents do not fit the payment.

    Raises:
        ApiError: 400 with param `applied_to`.
    """
    for split in splits:
        for name, record_id in split.documents:
            document = work.store.get(DOCUMENTS[name], record_id)
            label = name.replace("_", " ")
            if document is None:
                raise refuse_split(f"Could not find {label}: {record_id}")
            _check_document(work, label, document, payment)
    consumed = consumed_amount(splits)
    if consumed > payment["amount"]:
        currency = payment["currency"].upper()
        raise refuse_split(
            f"Total amount applied ({number_text(consumed)} {currency}) cannot exceed the "
            f"payment amount ({number_text(Decimal(payment['amount']))} {currency})"
        )


def consumed_amount(splits: list[Split]) -> Decimal:
    """Returns how much of the payment the splits consume."""
    return sum((each.amount for each in splits if each.type in CONSUMING), Decimal(0))


def _split(sent: Any, currency: str) -> Split:
    values = sent if isinstance(sent, dict) else {}
    type_ = values.get("type")
    if type_ not in SPLIT_TYPES:
        raise refuse_split(f"Unrecognized split type: {type_}")
    amount = as_decimal(values.get("amount"))
    if amount is None:
        raise refuse_split("Must provide an amount for each transaction.")
    if amount <= 0:
        raise refuse_split(
            "Amount applied to document must be greater than 0. "
            f"Provided: {number_text(amount)} {currency.upper()}"
        )
    names = _document_names(type_, values)
    if values.get("invoice") is not None and "invoice" not in names:
        raise refuse_split("Cannot supply invoice ID to non-invoice splits.")
    documents = tuple((name, int(values[name])) for name in names if values.get(name) is not None)
    if type_ in DOCUMENTS and type_ not in dict(documents):
        raise refuse_split(f"Could not find {type_.replace('_', ' ')}: ")
    return Split(type_, amount, documents)


def _document_names(type_: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    if type_ in {"invoice", "estimate"}:
        return (type_,)
    target = str(values.get("document_type") or "")
    targets = (target,) if target in DOCUMENTS else ()
    if type_ == "credit_note":
        return ("credit_note", *targets)
    return targets if type_ in {"applied_credit", "document_adjustment"} else ()


def _check_document(work: UnitOfWork, label: str, document: Record, payment: Record) -> None:
    number = document.get("number")
    if document.get("voided"):
        raise refuse_split(f"The {label} provided ({number}) has been voided.")
    if document["currency"] != payment["currency"]:
        raise refuse_split(
            f"The currency of {label} {number} ({document['currency']}) does not match the "
            f"payment currency ({payment['currency']})"
        )
    if document["customer"] != payment["customer"]:
        customer = work.store.get("customers", payment["customer"] or 0) or {}
        raise refuse_split(
            f"The {label} provided ({number}) does not belong to the customer that was selected "
            f"to apply payments for: {customer.get('number')}"
        )
