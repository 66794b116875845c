"""What needs a look: rejected records, deletions, and starts that were skipped."""

from invoiced_pipeline.plurals import counted
from invoiced_pipeline.report.exhibit import Column, Exhibit, Table, text_column
from invoiced_pipeline.report.extractions.period import DAYS, Period
from invoiced_pipeline.report.formats import minute

_LATEST = 10


def rejects_and_deletions(period: Period) -> Exhibit:
    """Returns rejected records and deletions by table."""
    rows = period.session.rows(
        """
        select table_name, sum(deleted_rows), sum(rejected_rows)
        from _sync_log where status <> 'skipped' and finished_at >= %s
        group by table_name having sum(deleted_rows) > 0 or sum(rejected_rows) > 0
        order by table_name
        """,
        [period.since],
    )
    deleted, rejected = (int(sum(row[at] for row in rows)) for at in (1, 2))
    title = f"{counted(deleted, 'deletion')} found and {counted(rejected, 'record')} rejected"
    return Exhibit(
        name="rejects_and_deletions",
        title=f"{title} in {DAYS} days" if rows else f"No deletions and no rejects in {DAYS} days",
        table=Table(
            "Deletions and rejected records by table",
            (text_column("Table"), Column("Deleted"), Column("Rejected")),
            [[name, f"{int(gone):,}", f"{int(bad):,}"] for name, gone, bad in rows],
        ),
        note="A record that is rejected in several runs counts in each; _rejected has it once.",
    )


def skipped_starts(period: Period) -> Exhibit:
    """Returns the scheduled starts that were skipped."""
    rows = period.session.rows(
        "select started_at, error from _sync_log where status = 'skipped' and finished_at >= %s "
        "order by started_at desc",
        [period.since],
    )
    count = counted(len(rows), "scheduled start was", "scheduled starts were")
    return Exhibit(
        name="skipped_starts",
        title=f"{count} skipped in {DAYS} days" if rows else f"No start was skipped in {DAYS} days",
        table=Table(
            "Latest skipped starts" if len(rows) > _LATEST else "Skipped starts",
            (text_column("Start (UTC)"), text_column("Why")),
            [[minute(at), why or ""] for at, why in rows[:_LATEST]],
        ),
    )
