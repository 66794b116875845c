"""The write operations of Invoiced as data: method, path, body and response of each."""

from invoiced_pipeline.catalog.operations.custom import CUSTOM
from invoiced_pipeline.catalog.operations.customers import (
    ADD_CONTACT,
    ATTACH_PAYMENT_SOURCE,
    CREATE_CUSTOMER,
    UPDATE_CUSTOMER,
)
from invoiced_pipeline.catalog.operations.documents import (
    CREATE_ESTIMATE,
    CREATE_INVOICE,
    DELETE_INVOICE,
    ISSUE_CREDIT_NOTE,
    UPDATE_INVOICE,
)
from invoiced_pipeline.catalog.operations.model import (
    MARKER,
    METADATA_KEY_LENGTH,
    METADATA_KEYS,
    METADATA_VALUE_LENGTH,
    Field,
    FieldType,
    Kind,
    Method,
    NaturalKey,
    Operation,
    fill_path,
    path_parameters,
)
from invoiced_pipeline.catalog.operations.payments import RECORD_PAYMENT
from invoiced_pipeline.catalog.operations.subscriptions import CREATE_SUBSCRIPTION
from invoiced_pipeline.catalog.operations.tasks import CREATE_TASK

__all__ = [
    "MARKER",
    "METADATA_KEYS",
    "METADATA_KEY_LENGTH",
    "METADATA_VALUE_LENGTH",
    "OPERATIONS",
    "OPERATION_NAMES",
    "Field",
    "FieldType",
    "Kind",
    "Method",
    "NaturalKey",
    "Operation",
    "fill_path",
    "operation",
    "path_parameters",
]

OPERATIONS: tuple[Operation, ...] = (
    CREATE_CUSTOMER,
    ATTACH_PAYMENT_SOURCE,
    CREATE_INVOICE,
    RECORD_PAYMENT,
    CREATE_SUBSCRIPTION,
    UPDATE_CUSTOMER,
    UPDATE_INVOICE,
    ISSUE_CREDIT_NOTE,
    ADD_CONTACT,
    CREATE_ESTIMATE,
    CREATE_TASK,
    DELETE_INVOICE,
    CUSTOM,
)
"""All operations, in display order."""

OPERATION_NAMES: tuple[str, ...] = tuple(each.name for each in OPERATIONS)

_BY_NAME = {each.name: each for each in OPERATIONS}


def operation(name: str) -> Operation:
    """Returns the operation `name`; raises KeyError if there is none."""
    return _BY_NAME[name]
