"""What the sensor remembers from tick to tick, as text for Dagster's cursor."""

import base64
import zlib
from dataclasses import dataclass, field

import msgspec

from invoiced_pipeline.alerts.incident import Incident, Incidents


@dataclass(frozen=True, slots=True)
class AlertState:
    """The incidents of all connections.

    Attributes:
        incidents: By dataset; datasets without incidents are left out.
        next: The dataset that the next tick begins with.
    """

    incidents: dict[str, list[Incident]] = field(default_factory=dict)
    next: str = ""

    @classmethod
    def decode(cls, cursor: str | None) -> "AlertState":
        """Reads a cursor; nothing is remembered without one, or if it is of another version."""
        if not cursor:
            return cls()
        try:
            text = zlib.decompress(base64.b64decode(cursor, validate=True))
            return msgspec.json.decode(text, type=cls)
        except (ValueError, zlib.error, msgspec.MsgspecError):
            return cls()

    def encode(self) -> str:
        """Returns the cursor. Dagster stores it with every tick, so it is compressed."""
        return base64.b64encode(zlib.compress(msgspec.json.encode(self))).decode("ascii")

    def of(self, dataset: str) -> Incidents:
        """Returns the incidents of a dataset."""
        return {each.key: each for each in self.incidents.get(dataset, ())}

    def updated(self, dataset: str, incidents: Incidents) -> "AlertState":
        """Returns the state with other incidents of a dataset."""
        found = {**self.incidents, dataset: list(incidents.values())}
        return AlertState({name: each for name, each in found.items() if each}, self.next)
