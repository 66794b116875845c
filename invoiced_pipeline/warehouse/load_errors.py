"""This project's errors for failed steps of dlt."""

from invoiced_pipeline.exceptions import (
    InvoicedPipelineError,
    WarehouseBusyError,
    WarehouseNotWritableError,
)
from invoiced_pipeline.warehouse.database import Database


def load_error(error: BaseException, database: Database) -> InvoicedPipelineError:
    """Returns the error to raise for a failed extract, normalize or load.

    If the chain of causes holds one of our own errors, that is it; otherwise the innermost cause
    decides.
    """
    cause: BaseException | None = error
    innermost = error
    while cause is not None:
        if isinstance(cause, InvoicedPipelineError):
            return cause
        innermost, cause = cause, cause.__cause__ or cause.__context__
    text = f"{type(innermost).__name__}: {innermost}"
    what = "The coverage stays as it was, and the next run repeats this one's work"
    kind = database.error_for(innermost)
    if kind is WarehouseBusyError:
        return kind(f"Another program opened {database.label} meanwhile. {what}. {text}")
    if kind is WarehouseNotWritableError:
        return kind(f"{database.label} could not be written. {what}. {text}")
    return kind(f"The load into {database.label} failed. {what}. {text}")
