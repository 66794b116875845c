"""The plan of a configured write-back, as source, ledger and replica are now."""

from collections.abc import Mapping
from typing import Any

from invoiced_pipeline.settings import Settings, WritebackSettings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.ledger import Entry, Ledger
from invoiced_pipeline.writeback.ledger.responses import read_records
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.planner import PlanRequest, make_plan
from invoiced_pipeline.writeback.plan.send_decision import NO_RETRIES, Retries
from invoiced_pipeline.writeback.plan.single_row import SingleRow, plan_single


class WritebackPlanner:
    """Plans one write-back, as often as needed; reads the ledgers of its parents once.

    Args:
        settings: All settings.
        name: Name of the write-back.
        database: The warehouse.
        retries: Rows to send again although nothing in them changed.
        single: The one row to plan, and the values edited in it; None for all rows.

    Raises:
        ConfigurationError: There is no such write-back.
        WarehouseError: The warehouse cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        database: Database,
        *,
        retries: Retries = NO_RETRIES,
        single: SingleRow | None = None,
    ) -> None:
        self._settings = settings
        self._writeback = settings.find_writeback(name)
        self._dataset = settings.find(self._writeback.connection).dataset
        self._database = database
        self._retries = retries
        self._single = single
        self._parents = _parent_entries(self._writeback, database, self._dataset)
        self._records = _parent_records(self._writeback, database, self._dataset)

    def plan(self, entries: Mapping[str, Entry]) -> Plan:
        """Makes the plan.

        Args:
            entries: What the ledger holds about the write-back's rows, by record key.

        Raises:
            ConfigurationError: The source cannot be read, or does not fit the settings.
            WarehouseError: The warehouse cannot be read.
        """
        request = PlanRequest(
            settings=self._writeback,
            dataset=self._dataset,
            ledgers={**self._parents, self._writeback.name: entries},
            records=self._records,
            parent_keys={each.name: each.key for each in self._settings.writeback},
            retries=self._retries,
            folder=self._settings.folder,
        )
        if self._single is not None:
            return plan_single(request, self._single, self._database)
        return make_plan(request, self._database)


def plan_writeback(
    settings: Settings,
    name: str,
    database: Database,
    *,
    retries: Retries = NO_RETRIES,
    single: SingleRow | None = None,
) -> Plan:
    """Makes the plan of a write-back; arguments and errors as of `WritebackPlanner`."""
    planner = WritebackPlanner(settings, name, database, retries=retries, single=single)
    dataset = settings.find(settings.find_writeback(name).connection).dataset
    return planner.plan(Ledger(database, dataset).entries(name))


def _parent_entries(
    writeback: WritebackSettings, database: Database, dataset: str
) -> dict[str, Mapping[str, Entry]]:
    """Reads the ledgers of the write-backs that one refers to, but for its own."""
    names = {reference.writeback for reference in writeback.references.values()}
    ledger = Ledger(database, dataset)
    return {name: ledger.entries(name) for name in sorted(names - {writeback.name})}


def _parent_records(
    writeback: WritebackSettings, database: Database, dataset: str
) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    """Reads the records of write-backs that one refers to by another field than `id`."""
    names = {each.writeback for each in writeback.references.values() if each.field != "id"}
    return {name: read_records(database, dataset, name) for name in sorted(names)}
