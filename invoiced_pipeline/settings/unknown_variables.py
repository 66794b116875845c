"""`INVOICED_*` variables that nothing reads; most are typos."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from invoiced_pipeline.settings.alerts import ALERT_URLS
from invoiced_pipeline.settings.connection import WEBHOOK_VARIABLE
from invoiced_pipeline.settings.environment import VARIABLES
from invoiced_pipeline.settings.postgres import PASSWORD_VARIABLE
from invoiced_pipeline.settings.suggestions import closest

_PREFIX = "INVOICED_"

_KNOWN = frozenset(
    {
        "INVOICED_CONFIG",
        "INVOICED_API_KEY",
        "INVOICED_HASH_SALT",
        ALERT_URLS,
        WEBHOOK_VARIABLE,
        PASSWORD_VARIABLE,
        *VARIABLES,
    }
)

_KUBERNETES = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_.+)?)")
"""Variables that Kubernetes sets for a service called `invoiced`: `INVOICED_PORT_8085_TCP_ADDR`."""


def unknown_variables(
    names: Iterable[str], in_dotenv: Iterable[str], document: Mapping[str, Any]
) -> str | None:
    """Returns one line for each unknown variable, without its value; None if there are none.

    Args:
        names: All variables that are set.
        in_dotenv: Those set in `.env`.
        document: The settings file; variables that it names in `*_env` are known.
    """
    known = _KNOWN | set(_named(document))
    lines = []
    for name in sorted(names):
        is_ours = name.upper().startswith(_PREFIX)
        if not is_ours or name in known or _KUBERNETES.fullmatch(name):
            continue
        where = ".env: " if name in in_dotenv else ""
        lines.append(f"{where}{name}: unknown variable; {_advice(name, known)}")
    return "\n".join(lines) or None


def _advice(name: str, known: Iterable[str]) -> str:
    # Compared without the prefix, which would make all names similar.
    ours = {each.removeprefix(_PREFIX): each for each in known if each.startswith(_PREFIX)}
    meant = closest(name[len(_PREFIX) :], ours)
    if meant:
        return f"did you mean {ours[meant]}? Correct the name, or remove the variable"
    listed = ", ".join(sorted(ours.values()))
    return f"valid ones are {listed}. Correct the name, or remove the variable"


def _named(node: Any) -> Iterator[str]:
    """Yields the variables that the settings name, at any depth."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if str(key).endswith("_env") and isinstance(value, str):
                yield value
            else:
                yield from _named(value)
    elif isinstance(node, list):
        for each in node:
            yield from _named(each)
