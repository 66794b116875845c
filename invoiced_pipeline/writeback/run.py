"""A push of a configured write-back, after the write-backs that it refers to."""

from collections.abc import Iterator, Mapping

from invoiced_pipeline.settings import Settings, WritebackSettings
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.current_plan import WritebackPlanner
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.push.context import PushContext, PushOptions
from invoiced_pipeline.writeback.push.push import push
from invoiced_pipeline.writeback.push.report import PushReport


def push_writeback(
    settings: Settings, name: str, context: PushContext, options: PushOptions
) -> Iterator[PushReport]:
    """Pushes a write-back after its parents, and yields a report for each.

    Inactive parents are skipped; rows that wait for them are held. A parent that fails does not
    stop its children: only the rows that wait for it are held.

    Args:
        settings: All settings.
        name: Name of the write-back.
        context: Account, warehouse and run.
        options: What is pushed.

    Raises:
        PushRefusedError: It is not active, or would send more than its limits allow.
        ApiError: The API cannot be used at all.
        ConfigurationError: A source cannot be read.
        WarehouseError: The warehouse cannot be used.
    """
    *parents, own = parents_first(settings, name)
    if options.with_parents and options.single is None and own.active:
        for parent in parents:
            if parent.active:
                yield _push(settings, parent, context, PushOptions(waits=options.waits))
    yield _push(settings, own, context, options)


def parents_first(settings: Settings, name: str) -> list[WritebackSettings]:
    """Lists a write-back after all write-backs that it refers to, directly or not.

    Raises:
        ConfigurationError: There is no such write-back.
    """
    order: dict[str, WritebackSettings] = {}

    def add(writeback: WritebackSettings) -> None:
        for reference in writeback.references.values():
            if reference.writeback not in order:
                add(settings.find_writeback(reference.writeback))
        order.setdefault(writeback.name, writeback)

    add(settings.find_writeback(name))
    return list(order.values())


def _push(
    settings: Settings, writeback: WritebackSettings, context: PushContext, options: PushOptions
) -> PushReport:
    planner = WritebackPlanner(
        settings, writeback.name, context.database, retries=options.retries, single=options.single
    )

    def make_plan(entries: Mapping[str, Entry]) -> Plan:
        plan = planner.plan(entries)
        if options.on_plan is not None:
            options.on_plan(plan)
        return plan

    return push(context, writeback, make_plan, options)
