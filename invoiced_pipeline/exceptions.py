"""Errors, named by what the person or the caller should do next."""

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
    "PermissionDeniedError",
    "PushRefusedError",
    "RateLimitedError",
    "RequestRefusedError",
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
    """A write-back may not send: it is not active, or would go beyond a limit that was set."""


class ApiError(InvoicedPipelineError):
    """The Invoiced API did not give what was asked for.

    Attributes:
        path: Path of the request, without host and query.
        status: HTTP status, or None when there was no answer.
        cause: What went wrong without naming the request: the same words wherever it is the same.
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
    """The API says that the account, or the key's user, does not have what was asked for."""


class PermissionDeniedError(UnavailableError):
    """403: the key's user may not read this. Use a key that may, or leave the table out."""


class FeatureNotEnabledError(UnavailableError):
    """400: the account does not have the feature that this table needs. Leave the table out."""


class RequestRefusedError(ApiError):
    """Any other 4xx, or a redirect: the request itself is not accepted. Never retried."""


class TransientApiError(ApiError):
    """5xx, lost connection, time-out or truncated body: worth another try.

    Attributes:
        retry_after: Seconds the server asked to wait, when it said so.
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
    """429: too many requests in flight for this key. Wait, and ask for less at a time."""


class HostUnreachableError(TransientApiError):
    """No connection could be made: wrong host, no network, or the service is down."""


class ContractError(ApiError):
    """The answer is not what the API promises, e.g. no JSON array where a list was asked for."""


class WarehouseError(InvoicedPipelineError):
    """The warehouse did not do what was asked of it."""


class WarehouseBusyError(WarehouseError):
    """Another run, or another program, holds the warehouse. Wait for it, then run again."""


class WarehouseNotWritableError(WarehouseError):
    """The destination cannot be opened or written: permissions, disk or a damaged file."""


class DatasetMismatchError(WarehouseError):
    """The dataset holds data of another account, host or grid. Use another dataset."""
