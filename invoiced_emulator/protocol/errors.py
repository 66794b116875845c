"""The errors that the API answers with, texts as observed on the service."""

from collections.abc import Iterable


class ApiError(Exception):
    """An answer of 400 or more.

    Args:
        status: HTTP status.
        message: The text that the API sends, word for word.
        param: The parameter to blame; left out of the body when None.
        type: `invalid_request`, `rate_limit_error` or `api_error`; None leaves it out.
    """

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        *,
        type: str | None = "invalid_request",  # noqa: A002 - the field's name in the API
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.type = type

    def body(self) -> dict[str, str]:
        """The error object of the response."""
        body = {"type": self.type, "message": self.message, "param": self.param}
        return {name: value for name, value in body.items() if value is not None}


def refused(message: str, param: str | None = None) -> ApiError:
    """A 400: validation or a business rule."""
    return ApiError(400, message, param)


def syntax_error() -> ApiError:
    """Malformed JSON, which is refused before anything else and carries no type."""
    return ApiError(400, "Syntax error", type=None)


def not_found(title: str, record_id: object) -> ApiError:
    """A 404 for a record, e.g. `Credit Note was not found: 5`."""
    return ApiError(404, f"{title} was not found: {record_id}")


def unknown_route(method: str, path: str) -> ApiError:
    """A 404 for a path that no route answers."""
    return ApiError(404, f"Request was not recognized: {method} {path}")


def method_not_allowed(method: str, path: str) -> ApiError:
    """A 405 for a known path with another verb."""
    return ApiError(405, f"Method not allowed: {method} {path}")


def feature_missing() -> ApiError:
    """A 400: the account does not have the feature that the route needs."""
    return refused("Your Invoiced account does not have access to this feature")


def forbidden() -> ApiError:
    """A 403 for a key bound to a member who lacks the permission."""
    return ApiError(403, "You do not have permission to do that")


def too_many_requests(limit: int) -> ApiError:
    """A 429: the key has `limit` requests in flight already."""
    return ApiError(
        429,
        f"Too many concurrent requests! You can only make {limit} concurrent requests at a time.",
        type="rate_limit_error",
    )


def server_error(status: int, correlation_id: str) -> ApiError:
    """A 5xx as the service words it."""
    return ApiError(
        status,
        "There was an error processing your request. Our engineers have been notified and will "
        f"be looking into it.\n\nCorrelation ID: {correlation_id}",
        type="api_error",
    )


def unknown_options(names: Iterable[str], defined: Iterable[str], where: str) -> ApiError:
    """A 400 of a strict route for parameters it does not define.

    Args:
        names: The parameters sent and not known.
        defined: Those that the route knows.
        where: `request` for a body, `query` for a query string.
    """
    unknown = sorted(names)
    known = "', '".join(sorted(defined))
    quoted = ", ".join(f"'{name}'" for name in unknown)
    subject = f"The option {quoted} does" if len(unknown) == 1 else f"The options {quoted} do"
    return refused(f"{subject} not exist. Defined options are: '{known}'.", where)
