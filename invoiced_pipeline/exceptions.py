"""This project's errors, named by what the person or the caller should do next."""

__all__ = [
    "AccountInactiveError",
    "ApiError",
    "AuthenticationError",
    "ConfigurationError",
    "ContractError",
    "DatasetMismatchError",
    "FeatureNotEnabledError",
    "HostUnreachableError",
    "InvoicedPipelineError",
    "NoSuchListError",
    "PermissionDeniedError",
    "PushRefusedError",
    "RateLimitedError",
    "RejectLimitError",
    "RequestRefusedError",
    "SweepRefusedError",
    "TransientApiError",
    "UnavailableError",
    "WarehouseBusyError",
    "WarehouseError",
    "WarehouseNotWritableError",
]


class InvoicedPipelineError(Exception):
    """Base of every error this project raises on purpose; its text is meant for a person."""


class ConfigurationError(InvoicedPipelineError):
    """A setting is missing or wrong: fix it, then run again. Never retried."""


class PushRefusedError(InvoicedPipelineError):
    """A write-back may not push: it is not active, or the push would exceed a limit."""


class RejectLimitError(InvoicedPipelineError):
    """A table has more records that fit no column than are allowed. Look at `_rejected`."""


class SweepRefusedError(InvoicedPipelineError):
    """A sweep would mark more rows as deleted than it may, and marked none."""


class ApiError(InvoicedPipelineError):
    """A request to the Invoiced API failed.

    Attributes:
        path: Path of the request, without host and query.
        status: HTTP status; None if there was no response.
        cause: The error without the request, so that equal errors of several tables are equal.
    """

    def __init__(
        self, message: str, *, path: str, status: int | None = None, cause: str | None = None
    ) -> None:
        super().__init__(message)
        self.path = path
        self.status = status
        self.cause = cause or message


class AuthenticationError(ApiError):
    """401: the API key is missing or wrong. Set the right key; retrying does not help."""


class AccountInactiveError(ApiError):
    """402: the account was cancelled or its trial ended. Only its owner can reactivate it."""


class UnavailableError(ApiError):
    """The account does not have what was requested, or the key's user may not see it."""


class PermissionDeniedError(UnavailableError):
    """403: the key's user may not read this. Use another key, or exclude the table."""


class FeatureNotEnabledError(UnavailableError):
    """400: the account does not have the feature that this table needs. Exclude the table."""


class NoSuchListError(UnavailableError):
    """404: the API has no such list. Exclude the table, or check `api_url`."""


class RequestRefusedError(ApiError):
    """Any other 4xx, or a redirect: the API refuses the request. Never retried."""


class TransientApiError(ApiError):
    """5xx, lost connection, timeout or truncated body: worth a retry.

    Attributes:
        retry_after: Seconds to wait, if the server sent them.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str,
        status: int | None = None,
        cause: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, path=path, status=status, cause=cause)
        self.retry_after = retry_after


class RateLimitedError(TransientApiError):
    """429: too many requests in flight for this key. Wait, and send fewer in parallel."""


class HostUnreachableError(TransientApiError):
    """No connection could be opened: wrong host, no network, or the service is down."""


class ContractError(ApiError):
    """The response is not what the API promises, e.g. no JSON array for a list."""


class WarehouseError(InvoicedPipelineError):
    """The warehouse refused or failed an operation."""


class WarehouseBusyError(WarehouseError):
    """Another run or program holds the warehouse. Wait for it, then run again."""


class WarehouseNotWritableError(WarehouseError):
    """The destination cannot be opened or written: permissions, disk space or a damaged file."""


class DatasetMismatchError(WarehouseError):
    """The dataset holds data of another connection, host or partition size. Use another one."""
