"""The days that the exhibits of the pipeline cover."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from invoiced_pipeline.report.charts import Label
from invoiced_pipeline.warehouse.database import Session

DAYS = 30


@dataclass(frozen=True, slots=True)
class Period:
    """The last days of a dataset's `_sync_log`.

    Attributes:
        session: Over the dataset.
        now: The instant (UTC) of the report.
    """

    session: Session
    now: datetime

    @property
    def days(self) -> list[date]:
        """The days (UTC), oldest first."""
        today = self.now.date()
        return [today - timedelta(days=back) for back in reversed(range(DAYS))]

    @property
    def since(self) -> datetime:
        """The first instant."""
        return datetime.combine(self.days[0], datetime.min.time(), self.now.tzinfo)

    def labels(self) -> dict[str, Label]:
        """Returns the axis labels of all days by their keys; one in five has a text."""
        return {
            str(each): (f"{each.day}", f"{each:%b}") if back % 5 == 0 else ""
            for back, each in zip(reversed(range(DAYS)), self.days, strict=True)
        }
