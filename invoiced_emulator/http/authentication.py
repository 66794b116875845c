"""Authenticates requests: HTTP Basic with API key or company name and key, or an OAuth token."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from invoiced_emulator.protocol.account import Account
from invoiced_emulator.protocol.errors import ApiError

KeyState = Literal["active", "member_without_permission", "left", "canceled", "trial_ended"]
"""State of a key. `member_without_permission` belongs to a user who may only read."""

_MISSING = (
    "Missing API key! HINT: You can pass in your API key as the username parameter "
    "using HTTP Basic Auth."
)
_REACTIVATE = "Please contact us at support@invoiced.com or visit https://app.invoiced.com to"
_REFUSALS: Mapping[KeyState, tuple[int, str]] = {
    "left": (401, "You are no longer a member of this account"),
    "canceled": (402, f"This account has been canceled. {_REACTIVATE} reactivate it."),
    "trial_ended": (402, f"Your trial has ended. {_REACTIVATE} subscribe."),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of an authenticated request."""

    key: str
    state: KeyState
    oauth: bool = False

    @property
    def has_api_key(self) -> bool:
        """Whether in-flight limit and idempotency keys apply: not to OAuth or members' keys."""
        return not self.oauth and self.state == "active"


def authenticate(
    authorization: str | None, keys: Mapping[str, KeyState], account: Account
) -> Caller:
    """Returns the caller that an `Authorization` header names.

    Args:
        authorization: The header, None when absent.
        keys: State of every known key.
        account: Its company name is the user name of the second form.

    Raises:
        ApiError: 401 or 402 with Invoiced's text.
    """
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return _known(credentials.strip(), keys, oauth=True)
    if scheme.lower() != "basic":
        raise ApiError(401, _MISSING)
    user, password = _basic(credentials)
    if not user:
        raise ApiError(401, _MISSING)
    if not password:
        return _known(user, keys)
    if user != account.company:
        raise ApiError(401, f"We did not find an account matching the username: {user}")
    return _known(password, keys)


def _basic(credentials: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    user, _, password = text.partition(":")
    return user, password


def _known(key: str, keys: Mapping[str, KeyState], *, oauth: bool = False) -> Caller:
    state = keys.get(key)
    if state is None:
        raise ApiError(401, f"We could not authenticate you with the API Key: {masked(key)}")
    if state in _REFUSALS:
        status, message = _REFUSALS[state]
        raise ApiError(status, message)
    return Caller(key, state, oauth)


def masked(key: str) -> str:
    """Returns a key as error messages show it: only its first and last three characters."""
    return key if len(key) <= 6 else f"{key[:3]}{'*' * (len(key) - 6)}{key[-3:]}"
