"""The limit on rejects: above it a table is not complete, or the run fails."""

from dataclasses import dataclass

from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.rejects import MOST_BY_ID, REJECTED, Rejects


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """What a table's rejects mean for the run.

    Attributes:
        error: Why the table is not complete, although all other records are loaded.
        alarm: Why the run fails, although the table is complete.
    """

    error: str | None = None
    alarm: str | None = None


def reject_limit(rejects: Rejects, loaded: int, reject_share: float) -> RejectLimit:
    """Decides whether a table has too many rejects.

    Args:
        rejects: Those met in the windows, before the ones of earlier runs are asked for.
        loaded: Records of the same windows that fit.
        reject_share: The share of all records above which the run fails.
    """
    count = len(rejects.met)
    if not count:
        return RejectLimit()
    first = next(iter(rejects.met.values()))
    verb = "fits" if count == 1 else "fit"
    what = (
        f"{count:,} of {counted(count + loaded, 'record')} {verb} no column; all others are "
        f"loaded. {REJECTED} holds reason and record. First: id {first.id}, {first.reason}"
    )
    if rejects.nameless or len(rejects.remembered()) > MOST_BY_ID:
        why = "records without id" if rejects.nameless else f"more than {MOST_BY_ID}"
        return RejectLimit(error=f"{what}. As {why}, they are read again with their window")
    if count > reject_share * (count + loaded):
        return RejectLimit(alarm=f"{what}. More than reject_share, {reject_share:.1%}")
    return RejectLimit()
