"""Why something failed, and what to do, in sentences of this project alone.

The text of an error may hold values of records, or what a server answered. An alert leaves the
company's network, so it is made of the name of the error's class.
"""

from dataclasses import dataclass

from invoiced_pipeline import exceptions

CHECK_FAILED = "CheckFailed"
"""A check found that the replica is wrong."""

PUSH_STOPPED = "PushStopped"
"""A push ended before all rows were sent."""

ROWS_LEFT = "RowsLeft"
"""A push ended with rows that were not carried out; its report counts them."""

NO_MESSAGE = "NoMessage"
"""A run failed without an error of a step."""

REJECTS = exceptions.RejectLimitError.__name__
SWEEP_REFUSED = exceptions.SweepRefusedError.__name__


@dataclass(frozen=True, slots=True)
class Reason:
    """Two sentences.

    Attributes:
        why: Why it failed.
        to_do: What a person should do.
    """

    why: str
    to_do: str


_WAIT = "Nothing, if it passes: the next run reads what is missing. If it stays, look at the run."
_CHECK = "Run `invoiced-pipeline check` where the pipeline runs: it names what is wrong."
_UNEXPECTED = Reason(
    "An unexpected error.", "Open the run: its log has the error. The next run repeats the work."
)

_BY_CLASS: dict[type[Exception], Reason] = {
    exceptions.ConfigurationError: Reason("A setting is missing or wrong.", _CHECK),
    exceptions.PushRefusedError: Reason(
        "The write-back is not active, or the push would exceed one of its limits. Nothing was "
        "sent.",
        "Look at `invoiced-pipeline writeback plan`, then correct the source or the setting that "
        "the run names.",
    ),
    exceptions.AuthenticationError: Reason(
        "Invoiced refused the API key (401).",
        "Check the key, and that production and sandbox are not mixed up: `invoiced-pipeline "
        "check`.",
    ),
    exceptions.AccountInactiveError: Reason(
        "The Invoiced account is not active (402).", "Ask the account's owner to reactivate it."
    ),
    exceptions.PermissionDeniedError: Reason(
        "The API key's user may not read this (403).", "Use another key, or exclude the table."
    ),
    exceptions.FeatureNotEnabledError: Reason(
        "The account does not have this feature.", "Exclude the table, or check the API key."
    ),
    exceptions.NoSuchListError: Reason(
        "The API has no such list (404).", "Exclude the table, or check api_url."
    ),
    exceptions.RateLimitedError: Reason(
        "Invoiced answered that there are too many requests (429), and went on doing so.",
        "Lower requests_in_flight, or give the pipeline an API key of its own. The next run reads "
        "what is missing.",
    ),
    exceptions.HostUnreachableError: Reason(
        "Invoiced could not be reached.",
        "Check the network and the proxy. The next run reads what is missing.",
    ),
    exceptions.TransientApiError: Reason(
        "Invoiced answered with a server error, or broke off the connection, at every try.", _WAIT
    ),
    exceptions.RequestRefusedError: Reason(
        "Invoiced refused a request.", "Open the run: its log has Invoiced's answer."
    ),
    exceptions.ContractError: Reason(
        "Invoiced's answer is not what its API promises.",
        "Open the run. If a proxy is between, check it.",
    ),
    exceptions.RejectLimitError: Reason(
        "More records fit no column than reject_share allows. All others are loaded.",
        "Look at the table `_rejected`: it has the reason and the record of each.",
    ),
    exceptions.SweepRefusedError: Reason(
        "The API does not list more of the rows than a sweep may mark as deleted. None was marked.",
        "Check that it is the right account and that the key may see all records. If they are "
        "really gone, run the `invoiced-pipeline sweep` that the run names.",
    ),
    exceptions.WarehouseBusyError: Reason(
        "Another run or program held the warehouse.",
        "Wait for the other run, or close the program. The next run reads what is missing.",
    ),
    exceptions.WarehouseNotWritableError: Reason(
        "The warehouse cannot be written.", f"Check permissions and disk space. {_CHECK}"
    ),
    exceptions.DatasetMismatchError: Reason(
        "The dataset belongs to another connection, host or partition size. Nothing was changed.",
        "Restore the setting, or use another dataset.",
    ),
    exceptions.WarehouseError: Reason("The warehouse refused or failed an operation.", _WAIT),
}

_BY_NAME = {each.__name__: reason for each, reason in _BY_CLASS.items()} | {
    CHECK_FAILED: Reason(
        "The rows in the warehouse are not what they must be.",
        "Open the check in Dagster's UI. `invoiced-pipeline sync --full --select TABLE` loads the "
        "table again.",
    ),
    PUSH_STOPPED: Reason(
        "Many requests in a row had no clear response, so sending stopped.",
        "Check Invoiced and the network, then push again: the outcomes are looked up first.",
    ),
    NO_MESSAGE: Reason(
        "The run ended without an error message: its process died, or could not be started.",
        "Look at the machine's memory and logs. The next run repeats the work.",
    ),
}


def explain(reason: str) -> Reason:
    """Returns the sentences for the name of an error's class, or for one of the names above."""
    return _BY_NAME.get(reason, _UNEXPECTED)


STATES = {
    "rejected": "Invoiced rejected them: see `invoiced-pipeline writeback status`, correct the "
    "rows, or use `retry`",
    "invalid": "they break a rule and were not sent: correct the rows",
    "held": "they wait for records that they refer to: correct those first",
    "unknown": "nobody knows whether Invoiced has them: look there, then use `retry`",
    "sent": "their outcome is not known yet: push again, which looks it up",
    "planned": "they were not sent yet: push again",
}
"""States of rows that were not carried out, and what a person does about them."""
