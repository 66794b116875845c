"""The plan of a write-back: a dry run shows it, and a push carries it out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.writeback.plan.tokens import without_token, without_tokens
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.source.references import Parent
from invoiced_pipeline.writeback.validation.diff import Change

Action = Literal["create", "update", "delete", "void", "unchanged", "invalid", "held"]
"""`create`, `update`, `delete` and `void` are sent. `unchanged`: the row is the same as when it was
last sent successfully, or as the replica. `invalid`: refused before any request. `held`: waits for
another record, or for a person."""

SENT: frozenset[Action] = frozenset({"create", "update", "delete", "void"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """One row of the source as a push would send it.

    Attributes:
        position: Place in the source, from 0. Rows of one record key are sent in this order, each
            after the response to the one before.
        record_key: The key column's value as text.
        action: What a push does with it.
        method: HTTP method of the request; empty if nothing is sent.
        path: The request's path with its parameters. `{id}` stands for the id of the record that
            the previous row with the same key creates in this push. If that row fails, this one is
            held.
        body: The JSON object to send: text, int, bool, Decimal, None, lists and dicts only; None
            for a request without a body (DELETE, void). An update has only the fields that differ.
            The marker (`NaturalKey.marker`) is added when the row is sent.
        payload_hash: SHA-256 (hex) of operation, path and the whole body, before it is reduced to
            differences. The same row has the same hash, whatever the replica holds. A value that
            looks like the number of a card or a bank account is left out.
        reason: Why it is invalid or held, without a value that looks like such a number.
        reason_param: The field that causes it.
        changes: Before and after, for updates of records that the replica has.
        parents: The records that a held row waits for.
        expects: Fields of the record that must have these values just before sending: a draft is
            deleted only while `draft` is true. Otherwise the row is rejected.
        amount: The money that it moves, in major currency units.
        wanted: All fields of its body, before any is left out.
        warnings: What a person should check before a push, such as an identifier that looks like a
            floating-point number. Warnings never stop a row.
        parts: Paths of the parts that the row sets in fields that the API replaces as a whole, such
            as `("metadata", "crm")`. The body has only these parts; a push reads the record and
            puts them into its fields.
        batch: Rows with the same number go in one request, whose body is the array of their bodies
            in order of position. None: a request for this row, with the object as its body.
    """

    position: int
    record_key: str
    action: Action
    method: str = ""
    path: str = ""
    body: Mapping[str, Any] | None = None
    payload_hash: str = ""
    reason: str | None = None
    reason_param: str | None = None
    changes: tuple[Change, ...] = ()
    parents: tuple[Parent, ...] = ()
    expects: Mapping[str, Any] = field(default_factory=dict)
    amount: Decimal | None = None
    wanted: Mapping[str, Any] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()
    parts: tuple[tuple[str, ...], ...] = ()
    batch: int | None = None

    @property
    def is_sent(self) -> bool:
        """Whether a push sends it."""
        return self.action in SENT

    def as_invalid(self, problem: Problem) -> "PlannedRow":
        """The row as invalid, with the problem and without its values."""
        return replace(
            self,
            action="invalid",
            method="",
            path="",
            body=None,
            reason=problem.reason,
            reason_param=problem.param,
        )

    def as_held(self, reason: str) -> "PlannedRow":
        """The row as held, with the reason."""
        return replace(self, action="held", reason=reason)

    def shown(self, operation: Operation) -> dict[str, Any]:
        """The row as data for `_writeback_plan` and for scripts, without its tokens."""
        return {
            "position": self.position,
            "record_key": self.record_key,
            "action": self.action,
            "method": self.method,
            "path": self.path,
            "body": None if self.body is None else without_tokens(operation, self.body),
            "changes": {
                change.field: {
                    "before": change.before,
                    "after": without_token(operation, change.field, change.after),
                }
                for change in self.changes
            },
            "reason": self.reason,
            "reason_param": self.reason_param,
            "warnings": list(self.warnings),
            "parts": [".".join(path) for path in self.parts],
            "reads_first": self.reads_first,
        }

    @property
    def reads_first(self) -> bool:
        """Whether the record is read just before the update.

        The rest of a field of which the row sets parts must stay, and so must our marker.
        """
        has_body = self.method == "PATCH" and self.batch is None and self.body is not None
        return has_body and bool(self.parts or "metadata" in (self.body or {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All rows of a write-back's source, in the source's order.

    Attributes:
        settings: The write-back.
        operation: Its operation; a custom one has the method and path of the settings.
        rows: One for each row of the source.
        notes: What a person should know, such as tables that are not replicated.
    """

    settings: WritebackSettings
    operation: Operation
    rows: Sequence[PlannedRow]
    notes: tuple[str, ...] = ()

    @property
    def to_send(self) -> list[PlannedRow]:
        """The rows that a push sends, in order."""
        return [row for row in self.rows if row.is_sent]

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows of every action, 0 included."""
        found = Counter(row.action for row in self.rows)
        actions: tuple[Action, ...]
        actions = ("create", "update", "delete", "void", "unchanged", "invalid", "held")
        return {action: found[action] for action in actions}

    def refusal(self) -> str | None:
        """Why a push sends nothing of this plan: inactive, or over a limit; None if it may send."""
        name = self.settings.name
        if not self.settings.active:
            return (
                f"Write-back {name!r} is not active: nothing was sent. Check its plan "
                f"(invoiced-pipeline writeback plan {name}), then set active = true"
            )
        return self.excess()

    def inactive_note(self) -> str | None:
        """The note on the plan of an inactive write-back; None if it is active."""
        if self.settings.active:
            return None
        return (
            f"Write-back {self.settings.name!r} is inactive: push, retry and its schedule send "
            "nothing. If the plan is right, set active = true"
        )

    def excess(self) -> str | None:
        """The first limit (records, money, deletions) that the plan exceeds, or None."""
        settings, rows = self.settings, self.to_send
        deletes = sum(row.action in {"delete", "void"} for row in rows)
        money = sum((abs(row.amount) for row in rows if row.amount is not None), Decimal(0))
        for what, found, most in (
            ("max_records", len(rows), settings.max_records),
            ("max_amount", money, settings.max_amount),
            ("max_deletes", deletes, settings.max_deletes),
        ):
            if most is not None and found > most:
                return (
                    f"Write-back {settings.name!r} would send {found:,}, but {what} = {most:,}: "
                    f"nothing was sent. Check its plan; if it is right, raise {what}"
                )
        return None
