"""Says plainly whether the API can be read, table by table, and if not, which thing is wrong."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import (
    AccountInactiveError,
    ApiError,
    AuthenticationError,
    FeatureNotEnabledError,
    HostUnreachableError,
    PermissionDeniedError,
)
from invoiced_pipeline.invoiced.client import InvoicedClient

_NEXT_STEP: dict[type[ApiError], str] = {
    AuthenticationError: "bad key",
    AccountInactiveError: "account cancelled",
    PermissionDeniedError: "key without permission",
    FeatureNotEnabledError: "feature not enabled",
    HostUnreachableError: "host unreachable",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step of a check found.

    Attributes:
        subject: What was looked at: `connection`, `destination` or a table.
        problem: What is wrong in a few words; None when all is well.
        detail: The whole story.
        records: Records the API says there are; None when unknown.
        seconds: How long the API took to answer.
    """

    subject: str
    problem: str | None
    detail: str
    records: int | None = None
    seconds: float | None = None


def check_tables(client: InvoicedClient, tables: Sequence[Table]) -> Iterator[Finding]:
    """Asks for one record of every one of `tables`; stops at what no other table can get past."""
    for table in tables:
        finding, is_final = _check(client, table)
        yield finding
        if is_final:
            return


def _check(client: InvoicedClient, table: Table) -> tuple[Finding, bool]:
    began = time.monotonic()
    records: int | None = 0
    try:
        for variant in table.variants:
            params = (*table.list_params, *variant, ("per_page", "1"))
            total = client.list_page(table.path, params).total
            records = None if total is None or records is None else records + total
    except ApiError as error:
        names = (name for kind, name in _NEXT_STEP.items() if isinstance(error, kind))
        problem = next(names, "unexpected answer")
        final = isinstance(error, AuthenticationError | AccountInactiveError | HostUnreachableError)
        subject = "connection" if final else table.name
        detail = str(error)
        if isinstance(error, FeatureNotEnabledError) and table.feature:
            detail += f". The feature is {table.feature}: enable it, or leave the table out"
        return Finding(subject, problem, detail), final
    seconds = time.monotonic() - began
    detail = "readable" if records is None else f"{records:,} records"
    return Finding(table.name, None, detail, records, seconds), False
