"""Caches of what dlt and Dagster compute again and again from the same arguments.

Half of a small load is dlt asking what type a setting has, and a third of a run's bookkeeping is
Dagster making engines of SQLAlchemy for the same file. Neither depends on anything that changes, so
tests of this process, and commands that the fork server starts, do it once.
"""

import functools
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_OF_TYPES = (
    "extract_inner_type",
    "is_callable_type",
    "is_final_type",
    "is_literal_type",
    "is_optional_type",
    "is_union_type",
)
_OF_HINTS = (
    "extract_inner_hint",
    "is_base_configuration_inner_hint",
    "is_context_inner_hint",
    "is_hint_not_resolvable",
    "is_secret_hint",
)
_SECRETS = Path("/run/secrets")


def install() -> None:
    """Puts the caches in place, in the libraries' modules that are imported by now."""
    from dlt.common import typing
    from dlt.common.configuration.specs import base_configuration

    for name in _OF_TYPES:
        _replace("dlt.", name, _by_identity(getattr(typing, name)))
    for name in _OF_HINTS:
        _replace("dlt.", name, _by_identity(getattr(base_configuration, name)))
    _look_up_variables_at_once()
    _keep_capabilities()
    _keep_engines()


def _by_identity(function: Callable[..., Any]) -> Callable[..., Any]:
    """Remembers results by the first argument itself: types that differ may be equal."""
    known: dict[tuple[Any, ...], tuple[object, Any]] = {}

    @functools.wraps(function)
    def cached(hint: Any, *arguments: Any, **options: Any) -> Any:
        key = (id(hint), arguments, *options.items())
        found = known.get(key)
        if found is None:
            if len(known) > 10_000:  # types that are made for one call
                known.clear()
            found = known[key] = (hint, function(hint, *arguments, **options))
        return found[1]

    return cached


def _look_up_variables_at_once() -> None:
    """dlt tries to open a file for each setting that may be secret; there is no such folder."""
    from dlt.common.configuration.providers import EnvironProvider

    plain = EnvironProvider.get_value

    def get_value(self: Any, key: str, hint: Any, pipeline_name: str, *sections: str) -> Any:
        name = self.get_key_name(key, pipeline_name, *sections)
        return (
            (None, name)
            if name not in os.environ
            else plain(self, key, hint, pipeline_name, *sections)
        )

    if not _SECRETS.exists():
        EnvironProvider.get_value = get_value  # type: ignore[method-assign]


def _keep_capabilities() -> None:
    """dlt resolves a destination's whole configuration thirty times a load to learn what it can."""
    from dlt.common.destination import Destination

    plain = Destination.capabilities

    def capabilities(self: Any, config: Any = None, naming: Any = None) -> Any:
        if config is not None:
            return plain(self, config, naming)
        known = vars(self).setdefault("_known_capabilities", {})
        # A load puts an open connection where the file's path was.
        key = (
            id(self.config_params.get("credentials")),
            type(naming),
            getattr(naming, "max_length", None),
        )
        if key not in known:
            known[key] = plain(self, config, naming)
        return known[key].copy()

    Destination.capabilities = capabilities  # type: ignore[method-assign]


def _keep_engines() -> None:
    """One engine for each SQLite file and its options, which still opens a connection each time.

    A machine that fails in the midst of a test fails the test: nothing waits for the disk.
    """
    from dagster._core.storage import sql
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    plain = sql.create_engine
    engines: dict[str, Engine] = {}

    def create_engine(url: str, **options: Any) -> Engine:
        if not str(url).startswith("sqlite:///") or "mode=memory" in str(url):
            return plain(url, **options)
        key = f"{url} {options}"
        if key not in engines:
            engines[key] = plain(url, **options)
        return engines[key]

    _replace("dagster.", "create_engine", create_engine, plain)
    event.listen(Engine, "connect", _write_without_waiting)


def _write_without_waiting(connection: Any, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = off")


def _replace(
    package: str, name: str, new: Callable[..., Any], old: Callable[..., Any] | None = None
) -> None:
    """Puts `new` wherever modules of `package` have imported a function by its name."""
    old = old or new.__wrapped__  # type: ignore[attr-defined]
    for module in list(sys.modules.values()):
        if module.__name__.startswith(package) and vars(module).get(name) is old:
            setattr(module, name, new)
