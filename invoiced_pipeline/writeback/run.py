"""Plans a write-back with its ledger, and pushes it after the write-backs that it refers to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from invoiced_pipeline.settings import Settings, WritebackSettings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.prior_outcomes import PriorOutcome, prior_outcomes
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.planner import make_plan, plan_request
from invoiced_pipeline.writeback.plan.row_planner import NO_RETRIES, Retries
from invoiced_pipeline.writeback.plan.single_row import SingleRow, plan_single
from invoiced_pipeline.writeback.push.push import push
from invoiced_pipeline.writeback.push.report import PushReport
from invoiced_pipeline.writeback.push.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """How a write-back is pushed.

    Attributes:
        retries: Unchanged rows that are sent again.
        single: The only row to send; parents are then not pushed. None: all rows.
        with_parents: Whether the write-backs that it refers to are pushed first.
        on_plan: Called with the write-back's plan before anything is sent.
    """

    retries: Retries = NO_RETRIES
    single: SingleRow | None = None
    with_parents: bool = True
    on_plan: Callable[[Plan], None] | None = None


def parents_first(settings: Settings, name: str) -> list[WritebackSettings]:
    """A write-back and all that it refers to, directly or indirectly, in the order of a push.

    Raises:
        ConfigurationError: There is no such write-back.
    """
    order: dict[str, WritebackSettings] = {}

    def add(each: WritebackSettings) -> None:
        for reference in each.references.values():
            if reference.writeback not in order:
                add(settings.find_writeback(reference.writeback))
        order.setdefault(each.name, each)

    add(settings.find_writeback(name))
    return list(order.values())


def plan_writeback(
    settings: Settings,
    name: str,
    database: Database,
    *,
    retries: Retries = NO_RETRIES,
    single: SingleRow | None = None,
) -> Plan:
    """Plans a write-back from the present source, ledger and replica.

    Args:
        settings: All settings.
        name: The write-back's name.
        database: The warehouse.
        retries: Unchanged rows that are sent again.
        single: The only row to plan, with its edits; None: all rows.

    Raises:
        ConfigurationError: The source cannot be read, or does not fit the settings.
        WarehouseError: The warehouse cannot be read.
    """
    found = settings.find_writeback(name)
    dataset = settings.find(found.connection).dataset
    request = plan_request(settings, name, _ledgers(found, database, dataset), retries)
    if single is not None:
        return plan_single(request, single, database)
    return make_plan(request, database)


def push_writeback(
    settings: Settings, name: str, target: Target, options: PushOptions
) -> Iterator[PushReport]:
    """Pushes the parents of a write-back and then itself; yields the report of each.

    Inactive parents are skipped. A failed parent does not stop its children: only the rows that
    wait for its records are held.

    Args:
        settings: All settings.
        name: The write-back's name.
        target: Where the rows are sent.
        options: What is pushed, and how.

    Raises:
        PushRefusedError: It is not active, or would send more than its limits allow.
        ApiError: The API cannot be used at all.
        ConfigurationError: A source cannot be read.
        WarehouseError: The warehouse cannot be used.
    """
    *parents, own = parents_first(settings, name)
    for parent in parents if options.with_parents and options.single is None else ():
        if parent.active and own.active:
            yield push(target, parent, _planner(settings, parent, target, PushOptions()))
    yield push(target, own, _planner(settings, own, target, options), retries=options.retries)


def _planner(
    settings: Settings, writeback: WritebackSettings, target: Target, options: PushOptions
) -> Callable[[], Plan]:
    def plan() -> Plan:
        found = plan_writeback(
            settings,
            writeback.name,
            target.database,
            retries=options.retries,
            single=options.single,
        )
        if options.on_plan is not None:
            options.on_plan(found)
        return found

    return plan


def _ledgers(
    writeback: WritebackSettings, database: Database, dataset: str
) -> dict[str, Mapping[str, PriorOutcome]]:
    """Prior outcomes of a write-back and of those that it refers to, by name."""
    ledgers: dict[str, Mapping[str, PriorOutcome]] = {
        writeback.name: prior_outcomes(database, dataset, writeback.name)
    }
    for reference in writeback.references.values():
        needs_record = reference.field != "id"
        if reference.writeback not in ledgers or needs_record:
            ledgers[reference.writeback] = prior_outcomes(
                database, dataset, reference.writeback, with_records=needs_record
            )
    return ledgers
