"""The check of the warehouse: whether it can be written, and who can open it."""

from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.invoiced.connection_check import Finding
from invoiced_pipeline.settings import RENAME_ADVICE, Settings, ambiguous_name
from invoiced_pipeline.warehouse.open import open_database


def check_destination(settings: Settings) -> Finding:
    """Returns what the check of the warehouse found; a file that is missing is not created."""
    try:
        database = open_database(settings.warehouse)
        database.check_writable()
        storage = database.storage_format()
    except InvoicedPipelineError as error:
        return Finding("destination", "destination not writable", str(error))
    detail = f"{database.label} is writable"
    if not database.exists():
        return Finding("destination", None, f"{detail}; the first sync creates it")
    if database.kind == "duckdb" and (
        warning := ambiguous_name(settings.warehouse.path, settings.connection)
    ):
        detail += f". Note: {warning}. {RENAME_ADVICE}"
    if storage is None:
        return Finding("destination", None, detail)
    detail += f". Storage version {storage.version}: {storage.readers} can open it"
    wanted = settings.warehouse.storage_version
    if storage.version != wanted:
        detail += f". To convert it: invoiced-pipeline move --storage-version {wanted}"
    return Finding(
        "destination",
        None,
        detail,
        storage_version=storage.version,
        readers=storage.readers,
    )
