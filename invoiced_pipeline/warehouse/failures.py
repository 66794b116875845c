"""What a failed dlt step means, in the words of this project's errors."""

from pathlib import Path

from invoiced_pipeline.exceptions import (
    InvoicedPipelineError,
    WarehouseBusyError,
    WarehouseError,
    WarehouseNotWritableError,
)

_UNWRITABLE = ("IO Error", "Could not write file", "No space left on device", "File too large")
"""How DuckDB says that disk or quota is full; a commit that fails so is no IO Error to it."""


def load_error(error: BaseException, warehouse: Path) -> InvoicedPipelineError:
    """The error to raise for a failed extract, normalise or load.

    Our own error is found in the chain of causes; otherwise the innermost cause speaks.
    """
    cause: BaseException | None = error
    innermost = error
    while cause is not None:
        if isinstance(cause, InvoicedPipelineError):
            return cause
        innermost, cause = cause, cause.__cause__ or cause.__context__
    text = f"{type(innermost).__name__}: {innermost}"
    what = "The coverage stays as it was, and the next run repeats this one's work"
    if "Could not set lock" in text:
        return WarehouseBusyError(f"Another program opened {warehouse} meanwhile. {what}. {text}")
    if isinstance(innermost, OSError) or any(sign in text for sign in _UNWRITABLE):
        return WarehouseNotWritableError(f"{warehouse} could not be written. {what}. {text}")
    return WarehouseError(f"The load into {warehouse} failed. {what}. {text}")
