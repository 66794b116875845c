"""The API's responses: a complete body, or an error whose class says what to do."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from invoiced_pipeline.exceptions import (
    AccountInactiveError,
    ApiError,
    AuthenticationError,
    ContractError,
    FeatureNotEnabledError,
    PermissionDeniedError,
    RateLimitedError,
    RequestRefusedError,
    TransientApiError,
)
from invoiced_pipeline.nesting import decode
from invoiced_pipeline.plurals import counted

_CHECK_KEY = "Check the API key, and that sandbox and production are not mixed up"
_OTHER_USER = "Use an API key whose user may read this"
_FIREWALL = (
    "These are not the API's words for a missing permission: check whether a proxy or a firewall "
    "refuses the request"
)
_PROXY = "The proxy requires credentials: set its user and password in the setting proxy"

FEATURE_MISSING = "Your Invoiced account does not have access to this feature"
PERMISSION_MISSING = "You do not have permission to do that"
UNKNOWN_PATH = "Request was not recognized"
"""The API's messages (observed); its `type` is the same for other errors."""

NOT_FOUND = 404
"""The status for a record, a parent or a path that does not exist: the messages differ."""


class _ErrorBody(msgspec.Struct):
    message: str = ""
    param: str | None = None


_error_decoder = msgspec.json.Decoder(_ErrorBody)


def server_message(body: bytes) -> str:
    """Returns an error object's message, without the part of the API key that a 401 repeats."""
    text, param = error_details(body)
    text = " ".join(text.split())  # the message of a 5xx has three lines
    if not text and param is None:
        return "the response has no error message"
    return f"{text} (parameter {param})" if param else text


def retry_after_seconds(value: str | None) -> float | None:
    """Returns the seconds of a Retry-After header; None without one, or if it is no number."""
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None


def server_time(value: str | None) -> datetime | None:
    """Returns the instant of a Date header in UTC; None without a readable one."""
    try:
        instant = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    # HTTP dates are UTC by definition, but Python makes one with `-0000` naive.
    return instant.replace(tzinfo=UTC) if instant and instant.tzinfo is None else instant


def error_details(body: bytes) -> tuple[str, str | None]:
    """Returns message and blamed parameter of an error object; an empty message if none."""
    try:
        error = decode(_error_decoder, body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "", None
    return re.sub(r"(API Key:).*", r"\1 (hidden)", error.message, flags=re.DOTALL), error.param


def error_for(  # noqa: PLR0913 - the parts of a response, by name
    status: int,
    body: bytes,
    *,
    path: str,
    location: str | None = None,
    retry_after: str | None,
    method: str = "GET",
) -> ApiError:
    """Returns the error for a response other than 2xx, with what to do next.

    Args:
        status: HTTP status.
        body: The error object, or anything else.
        path: Path of the request.
        location: Location header, for redirects.
        retry_after: Retry-After header; the API itself never sends one (observed).
        method: The request's HTTP method.
    """
    reason = server_message(body)
    said, cause = f"{method} {path} answered {status}: {reason}", f"the API answers {status}"
    if status != 429 and status < 500:  # the messages of those differ every time
        cause = f"the API answered {status}: {reason}"
    wait = retry_after_seconds(retry_after)
    if 300 <= status < 400:
        return RequestRefusedError(
            f"{method} {path} answered {status}, a redirect to {location or 'nowhere'}. Redirects "
            "are refused, so that the API key stays with the host it was given for: check api_url",
            path=path,
            status=status,
        )
    if status == 401:
        return AuthenticationError(
            f"{said}. {_CHECK_KEY}", path=path, status=status, cause=f"{cause}. {_CHECK_KEY}"
        )
    if status == 402:
        return AccountInactiveError(said, path=path, status=status, cause=cause)
    if status == 403:
        if _says(body, PERMISSION_MISSING):
            return PermissionDeniedError(
                f"{said}. {_OTHER_USER}", path=path, status=status, cause=f"{cause}. {_OTHER_USER}"
            )
        return RequestRefusedError(
            f"{said}. {_FIREWALL}", path=path, status=status, cause=f"{cause}. {_FIREWALL}"
        )
    if status == 407:
        return RequestRefusedError(
            f"{said}. {_PROXY}", path=path, status=status, cause=f"{cause}. {_PROXY}"
        )
    if status == 429:
        return RateLimitedError(said, path=path, status=status, cause=cause, retry_after=wait)
    if status >= 500:
        return TransientApiError(said, path=path, status=status, cause=cause, retry_after=wait)
    if status == 400 and _says(body, FEATURE_MISSING):
        return FeatureNotEnabledError(said, path=path, status=status, cause=cause)
    return RequestRefusedError(said, path=path, status=status, cause=cause)


def _says(body: bytes, words: str) -> bool:
    """Returns whether an error object has exactly this message, not just a quote of it."""
    return error_details(body)[0].strip().rstrip(".") == words


def is_object(body: bytes) -> bool:
    """Returns whether a body looks like a JSON object, as the errors of the API do."""
    return body.strip().startswith(b"{")


def check_list_body(body: bytes, path: str) -> None:
    """Checks that `body` is a complete JSON array.

    Raises:
        TransientApiError: It begins as an array and is incomplete, or is empty: worth a retry.
        ContractError: It is something else, such as a proxy's page.
    """
    _check_enclosed(body, path, b"[]", "array")


def check_record_body(body: bytes, path: str) -> None:
    """Checks that `body` is a complete JSON object; errors as of `check_list_body`."""
    _check_enclosed(body, path, b"{}", "object")


def _check_enclosed(body: bytes, path: str, brackets: bytes, what: str) -> None:
    content, first, last = body.strip(), brackets[:1], brackets[1:]
    if content.startswith(first) and content.endswith(last):
        return
    if not content or content.startswith(first):
        cause = "the response is incomplete"
        message = f"GET {path}: {cause} after {counted(len(body), 'byte')}"
        raise TransientApiError(message, path=path, status=200, cause=cause)
    cause = f"a JSON {what} was expected. Is api_url the address of the Invoiced API?"
    raise ContractError(f"GET {path}: {cause}", path=path, status=200, cause=cause)
