"""Fields that an update replaces as a whole: reads before it, notes on it, and its requests."""

from collections import Counter
from collections.abc import Iterable, Iterator

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.source.operation import included_params
from invoiced_pipeline.writeback.source.parts import Path
from invoiced_pipeline.writeback.source.problem import Problem


def is_replaced_whole(operation: Operation, name: str) -> bool:
    """Whether an update replaces the whole field; true for fields that the catalog lacks."""
    field = operation.field(name)
    return field is None or field.replaced_whole


def unreadable_part(operation: Operation, parts: Iterable[Path]) -> Problem | None:
    """Returns why a part cannot be merged into its field; None if it can."""
    for path in parts:
        field = operation.field(path[0])
        if field is not None and field.shown == "never":
            name = path[0]
            reason = (
                f"{'.'.join(path)}: Invoiced replaces {name} as a whole and does not show what it "
                f"holds, so a part of it cannot be changed. Map the whole of {name}"
            )
            return Problem(reason, name)
    return None


def read_params(operation: Operation, row: PlannedRow) -> tuple[tuple[str, str], ...]:
    """The `include` parameter that makes the API show all fields of which a row sets parts."""
    names = sorted({path[0] for path in row.parts})
    hidden = [
        name for name in names if (field := operation.field(name)) and field.shown == "included"
    ]
    return (("include", ",".join(hidden)),) if hidden else ()


def requests_of(plan: Plan) -> int:
    """The number of requests of a push without retries, reads included."""
    rows = plan.to_send
    if not rows:
        return 0
    batches = {row.batch for row in rows if row.batch is not None}
    count = 1 + len(batches)  # one request reads the API's clock
    for row in rows:
        if row.batch is None:
            shows_more = bool(included_params(plan.operation)) and row.action != "delete"
            count += 1 + row.reads_first + bool(row.expects) + shows_more
    return count


def replaced_in(row: PlannedRow, operation: Operation) -> Iterator[tuple[str, bool]]:
    """Yields the fields that a row's update replaces, each with whether the row sets only parts."""
    if row.method != "PATCH" or row.body is None:
        return
    partly = {path[0] for path in row.parts}
    for name in row.body:
        field = operation.field(name)
        if name in partly or (field is not None and field.replaced_whole):
            yield name, name in partly


def replaced_notes(plan: Plan) -> list[str]:
    """Notes on fields that the API replaces as a whole, and on the number of requests."""
    found = Counter(each for row in plan.to_send for each in replaced_in(row, plan.operation))
    notes = []
    for (name, partly), count in sorted(found.items()):
        if partly:
            some = counted(count, "row sets", "rows set")
            notes.append(
                f"Invoiced replaces {name} as a whole. {some} parts of it: each record is read "
                "just before it is changed, and what the row does not map stays."
            )
        else:
            kept = ", and only the write-back's own marker stays" if name == "metadata" else ""
            some = counted(count, "row maps", "rows map")
            notes.append(
                f"Invoiced replaces {name} as a whole. {some} all of it: what the record holds "
                f"there now is replaced{kept}."
            )
    if plan.to_send:
        reads = sum(row.reads_first for row in plan.to_send)
        of_these = f", {reads:,} of them to read a record just before it changes" if reads else ""
        notes.append(
            f"A push of this plan makes {counted(requests_of(plan), 'request')}{of_these}."
        )
    return notes
