"""Batches: rows of a custom operation that are sent in one request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.source.operation import batch_size


def batched(
    settings: WritebackSettings,
    operation: Operation,
    rows: Sequence[PlannedRow],
    groups: Mapping[int, Any],
) -> tuple[PlannedRow, ...]:
    """Numbers the batches of a custom operation; rows of other operations stay as they are.

    A batch has one path, one value of the column of `group_by`, and each record key at most once:
    rows with the same key are sent one after the other.

    Args:
        settings: The write-back.
        operation: Its operation.
        rows: In the source's order.
        groups: The values of the column of `group_by`, by position.
    """
    size = batch_size(settings, operation)
    if operation.kind != "custom" or size == 1:
        return tuple(rows)
    open_batches: dict[tuple[str, str], tuple[int, set[str]]] = {}
    last_of_key: dict[str, int] = {}
    count = 0
    result = []
    for row in rows:
        if not row.is_sent:
            result.append(row)
            continue
        place = (row.path, repr(groups.get(row.position)))
        number, keys = open_batches.get(place, (-1, set()))
        is_full = number < 0 or len(keys) >= size
        if is_full or number <= last_of_key.get(row.record_key, -1):
            number, keys = count, set()
            count += 1
        keys.add(row.record_key)
        open_batches[place] = number, keys
        last_of_key[row.record_key] = number
        result.append(replace(row, batch=number))
    return tuple(result)
