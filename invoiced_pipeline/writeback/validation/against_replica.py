"""Checks rows against the replica: unknown records, and documents that cannot be edited."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from invoiced_pipeline.catalog import table
from invoiced_pipeline.catalog.operations import Field, Operation
from invoiced_pipeline.writeback.source.mapping import MappedRow
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.validation.diff import is_same
from invoiced_pipeline.writeback.validation.replica import Replica

_DOCUMENTS = frozenset({"invoices", "credit_notes", "estimates"})


def replica_problem(operation: Operation, row: MappedRow, replica: Replica) -> Problem | None:
    """Returns why the API would refuse a row, as far as the replica shows; None if it would not."""
    return next(_replica_problems(operation, row, replica), None)


def edit_problem(
    operation: Operation, record: Mapping[str, Any], body: Mapping[str, Any]
) -> Problem | None:
    """Returns why the API would refuse to change a record; None if it would not.

    Args:
        operation: The write-back's operation.
        record: The record as the replica has it.
        body: The fields to send.
    """
    what = f"{operation.singular} {record.get('number') or record.get('id')}"
    if record.get("_deleted_at") is not None:
        return Problem(f"{what} was deleted in Invoiced", "id")
    for field in operation.fields:
        before, after = record.get(field.name), body.get(field.name)
        is_given = field.creation_only and after is not None and before is not None
        if is_given and not is_same(field, before, after):
            return Problem(
                f"{what} has {field.name} {before}, which can no longer be changed", field.name
            )
    if operation.table not in _DOCUMENTS:
        return None
    if record.get("status") == "voided":
        return Problem(f"{what} is voided and cannot be changed", "voided")
    if record.get("closed") and body.get("closed") is not False:
        why = "paid and therefore closed" if record.get("paid") else "closed"
        return Problem(
            f"{what} is {why}, and the API refuses every change; closed = false reopens it",
            "closed",
        )
    if body.get("draft") is True and record.get("draft") is False:
        return Problem(f"{what} is issued and cannot become a draft again", "draft")
    return None


def _replica_problems(operation: Operation, row: MappedRow, replica: Replica) -> Iterator[Problem]:
    yield from _unknown(operation.parameters, row.parameters, "", replica)
    yield from _unknown(operation.fields, row.body, "", replica)
    customer = replica.record("customers", row.body.get("customer"))
    if customer is not None and operation.kind == "create" and operation.table in _DOCUMENTS:
        yield from _customer_problems(operation, customer, row.body)
    if operation.name == "record_payment":
        yield from _payment_problems(row.body, replica)
    if operation.name == "create_subscription":
        yield from _subscription_problems(row.body, replica)


def _unknown(
    fields: Iterable[Field], values: Mapping[str, Any], place: str, replica: Replica
) -> Iterator[Problem]:
    for field in fields:
        value = values.get(field.name)
        where = f"{place}{field.name}"
        if field.refers_to in replica.tables and value is not None and not _waits(value):
            record = replica.record(field.refers_to, value)
            what = f"{table(field.refers_to).singular.replace('_', ' ')} {value}"
            param = (place or where).partition("[")[0]
            if record is None:
                yield Problem(
                    f"{where}: there is no {what} in the replica. If it is new in Invoiced, sync "
                    "first; if it is older than the start date, set check_replica = false",
                    param,
                )
            elif record.get("_deleted_at") is not None:
                yield Problem(f"{where}: {what} was deleted in Invoiced", param)
        if field.elements and isinstance(value, list):
            for number, item in enumerate(value):
                if isinstance(item, dict):
                    inside = f"{where}[{number}]."
                    yield from _unknown(field.elements, item, inside, replica)


def _customer_problems(
    operation: Operation, customer: Mapping[str, Any], body: Mapping[str, Any]
) -> Iterator[Problem]:
    who = f"customer {customer.get('number') or customer.get('id')}"
    if customer.get("active") is False:
        yield Problem(f"{who} is inactive: the API creates no documents for it", "customer")
    if operation.table == "invoices" and customer.get("credit_hold") and not body.get("draft"):
        yield Problem(f"{who} is on credit hold: the API issues no invoices for it", "customer")


def _payment_problems(body: Mapping[str, Any], replica: Replica) -> Iterator[Problem]:
    splits = body.get("applied_to")
    for split in splits if isinstance(splits, list) else ():
        for name, documents in (("invoice", "invoices"), ("estimate", "estimates")):
            document = replica.record(documents, split.get(name))
            if document is None:
                continue
            what = f"{name} {document.get('number')}"
            if document.get("status") == "voided":
                yield Problem(f"{what} is voided: nothing can be applied to it", "applied_to")
            currency = str(body.get("currency") or document.get("currency")).lower()
            if currency != document.get("currency"):
                yield Problem(
                    f"{what} is in {document.get('currency')}, and the payment in {currency}",
                    "applied_to",
                )
            payer = body.get("customer")
            if payer is not None and not _waits(payer) and payer != document.get("customer"):
                owner = document.get("customer")
                yield Problem(
                    f"{what} belongs to customer {owner}, and the payment to {payer}",
                    "applied_to",
                )


def _subscription_problems(body: Mapping[str, Any], replica: Replica) -> Iterator[Problem]:
    plan = replica.record("plans", body.get("plan"))
    if plan is None:
        return
    is_custom = plan.get("pricing_mode") == "custom"
    if is_custom and body.get("amount") is None:
        yield Problem(f"plan {body['plan']} has a custom price: amount is missing", "amount")
    if not is_custom and body.get("amount") is not None:
        yield Problem(f"plan {body['plan']} has its own price: leave out amount", "amount")


def _waits(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("@")
