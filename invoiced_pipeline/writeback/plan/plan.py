"""What a push would do, row by row: the plan, which a push carries out and a dry run shows."""

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
"""`create`, `update`, `delete` and `void` are sent. `unchanged`: its payload is what was last sent
with success, or what the replica holds. `invalid`: refused before any call. `held`: a record that
it refers to is not there yet."""

SENT: frozenset[Action] = frozenset({"create", "update", "delete", "void"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """One row of the source, as it would be sent.

    Attributes:
        position: Place in the source, from 0. Rows of one record key are sent in this order, each
            after the answer to the one before.
        record_key: The key column's value as text.
        action: What becomes of it.
        method: HTTP method of the request; empty where nothing is sent.
        path: The request's path, parameters filled in. `{id}` in it stands for the id of the record
            that the row before it with the same key makes in this push; where that one fails, this
            one is held.
        body: The JSON object to send: text, int, bool, Decimal, None, lists and dicts only; None
            for a request without one (DELETE, void). For updates only the fields that differ.
            A marker (`NaturalKey.marker`) is not in it: whoever sends puts it in.
        payload_hash: SHA-256 (hex) of what the row wants: operation, path and the whole body before
            it is reduced to differences. It is the same for the same row, whatever the replica
            holds. Of an invalid row with a number that looks like a card's or an account's it is
            taken without that value.
        reason: Why it is invalid or held; never holds a value that was refused as card or account.
        reason_param: The field to blame.
        changes: Before and after, for updates of records that the replica holds.
        parents: Records that must be there first; those of a held row that are not.
        expects: What the record must still be right before sending, by field: an invoice that is a
            draft is deleted only while `draft` is true. Where it is not, the row is rejected.
        amount: Money that it moves, in major currency units.
        wanted: All fields of its body by itself, before anything is left out.
        warnings: What a person should look at before the row is sent, e.g. an identifier that looks
            like a floating-point number. They never stop it.
        parts: Paths of the parts that the row sets in fields that the API replaces as a whole, such
            as `("metadata", "crm")`. The body holds these parts alone; they are put into the
            record's own field, read just before sending.
        batch: Rows with the same number go in one request whose body is the array of their bodies,
            in order of position; None: a request of its own with the object as its body.
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
        """Whether a push makes a request for it."""
        return self.action in SENT

    def as_invalid(self, problem: Problem) -> "PlannedRow":
        """The row with what is wrong with it, and without its values."""
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
        """The row with what keeps it back."""
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
        """Whether the record is read just before it is changed.

        What is beside the row's parts must stay, and so must our own marker in metadata.
        """
        has_body = self.method == "PATCH" and self.batch is None and self.body is not None
        return has_body and bool(self.parts or "metadata" in (self.body or {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All rows of a write-back's source, in the source's order.

    Attributes:
        settings: The write-back.
        operation: What it does; of a custom one with the method and path of the settings.
        rows: One per row of the source.
        notes: What a person should know, e.g. that a table is not replicated and so not asked.
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
        """Rows by action, of all actions in their order; 0 where there is none."""
        found = Counter(row.action for row in self.rows)
        actions: tuple[Action, ...]
        actions = ("create", "update", "delete", "void", "unchanged", "invalid", "held")
        return {action: found[action] for action in actions}

    def refusal(self) -> str | None:
        """Why a push may send nothing at all of this plan; None when it may.

        Not active, or more records, money or deletions than the settings allow.
        """
        name = self.settings.name
        if not self.settings.active:
            return (
                f"Write-back {name!r} is not active: nothing was sent. Look at its plan "
                f"(invoiced-pipeline writeback plan {name}), then set active = true"
            )
        return self.excess()

    def inactive_note(self) -> str | None:
        """What a reader of an inactive write-back's plan should know; None for an active one."""
        if self.settings.active:
            return None
        return (
            f"Write-back {self.settings.name!r} is inactive: push, retry and its schedule send "
            "nothing. If the plan is right, set active = true"
        )

    def excess(self) -> str | None:
        """Which of its limits the plan exceeds, more records, money or deletions; None if none."""
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
                    f"Write-back {settings.name!r} would send {found:,} where {what} = {most:,}: "
                    f"nothing was sent. Look at its plan; if it is right, raise {what}"
                )
        return None
