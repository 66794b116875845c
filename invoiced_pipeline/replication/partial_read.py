"""How far the first read of a table's windows got, if it ended early."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from invoiced_pipeline.windows import Coverage, from_epoch, to_epoch


@dataclass(frozen=True, slots=True)
class PartialRead:
    """A first read that ended early; its rows are in the warehouse.

    Attributes:
        at: Changes up to this instant (UTC) are in the rows; later ones are not claimed.
        coverage: What was read completely, up to `at`.
    """

    at: datetime
    coverage: Coverage

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Reads what `to_state` wrote."""
        return cls(from_epoch(state["at"]), Coverage.from_state(state["windows"]))

    def to_state(self) -> dict[str, Any]:
        """Returns epoch seconds, as the pipeline's state keeps them."""
        return {"at": to_epoch(self.at), "windows": self.coverage.to_state()}

    def add(self, other: "PartialRead | None") -> "PartialRead":
        """Returns this read together with an earlier one."""
        if other is None:
            return self
        return PartialRead(min(self.at, other.at), self.coverage.add(*other.coverage.windows))
