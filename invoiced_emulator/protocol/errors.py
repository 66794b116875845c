"""The API's errors, with the texts observed on Invoiced."""

from collections.abc import Iterable


class ApiError(Exception):
    """A response with status 400 or higher.

    Args:
        status: HTTP status.
        message: The text that the API sends, word for word.
        param: The parameter at fault; None leaves it out of the body.
        type: `invalid_request`, `rate_limit_error` or `api_error`; None leaves it out of the body.
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
        """Returns the error object of the response."""
        body = {"type": self.type, "message": self.message, "param": self.param}
        return {name: value for name, value in body.items() if value is not None}


def refused(message: str, param: str | None = None) -> ApiError:
    """Returns a 400 for a failed validation or business rule."""
    return ApiError(400, message, param)


def syntax_error() -> ApiError:
    """Returns the 400 for malformed JSON, which has no type."""
    return ApiError(400, "Syntax error", type=None)


def not_found(title: str, record_id: object) -> ApiError:
    """Returns the 404 for a missing record, e.g. `Credit Note was not found: 5`."""
    return ApiError(404, f"{title} was not found: {record_id}")


def unknown_route(method: str, path: str) -> ApiError:
    """Returns the 404 for an unknown path."""
    return ApiError(404, f"Request was not recognized: {method} {path}")


def method_not_allowed(method: str, path: str) -> ApiError:
    """Returns the 405 for a known path with another method."""
    return ApiError(405, f"Method not allowed: {method} {path}")


def feature_missing() -> ApiError:
    """Returns the 400 for an account without the feature that the route needs."""
    return refused("Your Invoiced account does not have access to this feature")


def forbidden() -> ApiError:
    """Returns the 403 for a user without the permission."""
    return ApiError(403, "You do not have permission to do that")


def too_many_requests(limit: int) -> ApiError:
    """Returns the 429 for a key with `limit` requests in flight."""
    return ApiError(
        429,
        f"Too many concurrent requests! You can only make {limit} concurrent requests at a time.",
        type="rate_limit_error",
    )


def server_error(status: int, correlation_id: str) -> ApiError:
    """Returns a 5xx with Invoiced's text."""
    return ApiError(
        status,
        "There was an error processing your request. Our engineers have been notified and will "
        f"be looking into it.\n\nCorrelation ID: {correlation_id}",
        type="api_error",
    )


def unknown_options(names: Iterable[str], defined: Iterable[str], where: str) -> ApiError:
    """Returns the 400 of a strict route for unknown parameters.

    Args:
        names: The unknown parameters.
        defined: The parameters that the route defines.
        where: `request` for a body, `query` for a query string.
    """
    unknown = sorted(names)
    known = "', '".join(sorted(defined))
    quoted = ", ".join(f"'{name}'" for name in unknown)
    subject = f"The option {quoted} does" if len(unknown) == 1 else f"The options {quoted} do"
    return refused(f"{subject} not exist. Defined options are: '{known}'.", where)
