"""Lists that the API does not have: it may lack those of optional tables."""

from invoiced_pipeline.catalog import OPTIONAL_TABLE_NAMES, Table
from invoiced_pipeline.exceptions import RequestRefusedError
from invoiced_pipeline.invoiced.http.responses import NOT_FOUND


def is_missing_list(table: Table, error: Exception) -> bool:
    """Returns whether an error says that the API does not know the path of an optional table.

    For any other table this means that the address is not that of the API.
    """
    if table.name not in OPTIONAL_TABLE_NAMES or not isinstance(error, RequestRefusedError):
        return False
    return error.status == NOT_FOUND
