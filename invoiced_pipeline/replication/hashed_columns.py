"""Which columns of a dataset are hashed and dropped, by the settings and by its last load."""

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.selection.privacy import Privacy
from invoiced_pipeline.warehouse.row_redaction import RowRedactor

_SALT = "salt"


def redact_loaded_rows(
    dataset: DatasetState, request: ReplicationRequest, redactor: RowRedactor | None
) -> None:
    """Redacts rows that were loaded before their columns were set to be hashed or dropped.

    Args:
        dataset: What the dataset remembers.
        request: The settings of hashed and dropped columns, and what the run reads.
        redactor: Redacts the rows; None if the run has none to redact.

    Raises:
        ConfigurationError: The salt has changed, and the run does not read all hashed columns.
        WarehouseError: Rows could not be redacted: nothing was loaded.
    """
    privacy, known = request.privacy, dataset.hidden() or {}
    wanted = _remembered(privacy)
    if wanted == known or redactor is None:
        return
    _check_salt(known, wanted, request)
    before = {(table, name) for table, names in known.items() if table != _SALT for name in names}
    now = {(table, name) for table, names in privacy.treatments.items() for name in names}
    if now - before and not dataset.is_new():
        redactor.run()
    dataset.set_hidden(wanted)


def _remembered(privacy: Privacy) -> dict[str, dict[str, str]]:
    """Returns treatments by table and column, with a fingerprint of the salt."""
    remembered: dict[str, dict[str, str]] = {
        table: dict(columns) for table, columns in privacy.treatments.items()
    }
    if privacy.salt:
        remembered[_SALT] = {"fingerprint": privacy.hashed(_SALT)[:16]}
    return remembered


def _check_salt(
    known: dict[str, dict[str, str]],
    wanted: dict[str, dict[str, str]],
    request: ReplicationRequest,
) -> None:
    if _SALT not in known or _SALT not in wanted or known[_SALT] == wanted[_SALT]:
        return
    hashed = sorted(name for name, columns in known.items() if "hashed" in columns.values())
    read_whole = {table.name for table in request.tables if request.mode == "full"}
    if not read_whole.issuperset(hashed):
        message = (
            f"The hashed columns of {', '.join(hashed)} were hashed with another salt: the same "
            "value would have two hashes. Nothing was loaded. Set the salt back, or hash them "
            f"again: invoiced-pipeline sync --full --select {','.join(hashed)}"
        )
        raise ConfigurationError(message)
