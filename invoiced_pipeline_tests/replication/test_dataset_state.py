"""What a dataset remembers, and the requests that it refuses."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from invoiced_pipeline.exceptions import DatasetMismatchError
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.request import ReplicationRequest

FIRST = ReplicationRequest(
    tables=(),
    mode="sync",
    start_date=datetime(2025, 11, 22, tzinfo=UTC),
    connection="Acme",
    host="api.invoiced.com",
    default_start=date(2025, 11, 22),
)


def test_the_default_start_date_of_the_first_load_holds_on_every_machine() -> None:
    state: dict[str, Any] = {}
    DatasetState(state).claim(FIRST)
    later = replace(FIRST, default_start=date(2025, 12, 1))
    DatasetState(state).claim(later)
    DatasetState(state).check_owner(FIRST)
    with pytest.raises(DatasetMismatchError, match=r'Set start_date = "2025-11-22" .*\'Acme\''):
        DatasetState(state).check_owner(later)
    DatasetState(state).check_owner(replace(FIRST, default_start=None))  # the settings name one
