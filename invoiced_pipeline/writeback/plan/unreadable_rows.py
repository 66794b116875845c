"""Rows that cannot be planned: unreadable ones, and ones without a usable key."""

from collections import defaultdict
from collections.abc import Iterable

from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.warehouse.database import Selection
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.source.mapping import MappedRow
from invoiced_pipeline.writeback.source.payment_data import without_payment_data
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.source.record_keys import key_problem, same_key_problem


def readable_rows(
    selection: Selection, rows: Iterable[MappedRow], settings: WritebackSettings
) -> tuple[list[MappedRow], list[PlannedRow]]:
    """Separates the rows that can be planned from those that are invalid.

    Args:
        selection: The source's rows.
        rows: The same rows, mapped, in order.
        settings: The write-back.
    """
    good: list[MappedRow] = []
    bad: list[PlannedRow] = []
    keys: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        position, column = row.position, settings.key
        if position in selection.problems:
            key = selection.record_keys.get(position, f"(unreadable) row {position}")
            bad.append(_invalid(position, key, Problem(selection.problems[position])))
        elif problem := key_problem(column, row.source_key):
            bad.append(_invalid(position, f"(unusable key) row {position}", problem))
        elif problem := same_key_problem(column, row.source_key, keys[row.source_key.strip()]):
            # Its own text as key: the ledger entry of the other row is not overwritten.
            bad.append(_invalid(position, row.source_key, problem))
        else:
            good.append(row)
            if row.record_key:
                keys[row.source_key.strip()].append(row.source_key)
    return good, bad


def _invalid(position: int, record_key: str, problem: Problem) -> PlannedRow:
    return PlannedRow(
        position=position,
        record_key=record_key,
        action="invalid",
        reason=without_payment_data(problem.reason),
        reason_param=problem.param,
    )
