"""Caches of what dlt and Dagster compute again and again from the same arguments.

Half of a small load is dlt asking what type a setting has, and a third of a run's bookkeeping is
Dagster making engines of SQLAlchemy for the same file. Neither depends on anything that changes, so
tests of this process, and commands that the fork server starts, do it once.
"""

import functools
import os
import pickle
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
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
    _keep_fields_of_schemas()
    _copy_schemas_at_once()
    _look_up_variables_at_once()
    _keep_capabilities()
    _keep_engines()
    _copy_empty_storage()
    _keep_certificates()


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


def _keep_fields_of_schemas() -> None:
    """dlt validates a schema's parts many times a load, and finds out their fields each time."""
    from dlt.common import validation

    plain = validation.get_type_hints
    cached = functools.cache(lambda spec: plain(spec, vars(sys.modules[spec.__module__])))
    validation.get_type_hints = lambda spec, globalns: cached(spec)  # type: ignore[assignment]


def _copy_schemas_at_once() -> None:
    """A schema is plain data, which pickle copies several times as fast as dlt's own way."""
    from dlt.common.schema import schema, utils

    plain = utils.deepcopy

    def copied(value: Any) -> Any:
        try:
            return pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))  # noqa: S301 - ours
        except (AttributeError, TypeError, pickle.PicklingError):
            return plain(value)

    for module in (schema, utils):
        module.deepcopy = copied  # type: ignore[assignment]


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


def _keep_certificates() -> None:
    """Every client of httpx reads all certificates of the machine, even for plain HTTP."""
    from httpx._transports import default

    plain = default.create_ssl_context

    @functools.cache
    def cached(verify: Any, cert: Any, trust_env: bool, *_: str | None) -> Any:
        return plain(verify, cert, trust_env)

    def create_ssl_context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
        files = (os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
        return cached(verify, cert, trust_env, *files)

    default.create_ssl_context = create_ssl_context


def _copy_empty_storage() -> None:
    """Dagster's files of a new folder, and of a new run, are copies of the first of their kind."""
    from dagster._core.storage.event_log import SqliteEventLogStorage
    from dagster._core.storage.runs import SqliteRunStorage
    from dagster._core.storage.schedules import SqliteScheduleStorage

    known: dict[str, bytes] = {}

    def begin(kind: str, file: Path) -> bool:
        """Makes the file if it is missing and can be copied; says whether it was missing."""
        if file.exists():
            return False
        if kind in known:
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=file.parent, prefix=".new_") as folder:
                new = Path(folder) / file.name
                # It is closed before SQLite can open it: closing a file ends all of the process's
                # locks on it (https://sqlite.org/howtocorrupt.html, 2.2).
                new.write_bytes(known[kind])
                with suppress(FileExistsError):  # another process was first
                    file.hardlink_to(new)
        return True

    def remembering(plain: Callable[..., Any], kind: str, file_of: Callable[..., Path]) -> Any:
        @functools.wraps(plain)
        def create(*arguments: Any, **options: Any) -> Any:
            file = file_of(*arguments, **options)
            was_missing = begin(kind, file)
            result = plain(*arguments, **options)
            if was_missing and kind not in known:
                # With what is still in the write-ahead log; the file alone may lack it.
                with closing(sqlite3.connect(file)) as connection:
                    known[kind] = connection.serialize()
            return result

        return create

    def of_index(_: Any, base_dir: str, inst_data: Any = None) -> Path:
        return Path(base_dir) / "index.db"

    def of_engine(_: Any, engine: Any, for_index_shard: bool = False) -> Path:
        return Path(engine.url.database)

    for storage, name in ((SqliteRunStorage, "runs"), (SqliteScheduleStorage, "schedules")):
        of_storage = functools.partial(_file_of_storage, name)
        create = remembering(storage.from_local, name, of_storage)
        storage.from_local = staticmethod(create)  # type: ignore[method-assign]
    index = remembering(SqliteEventLogStorage.__init__, "index", of_index)
    SqliteEventLogStorage.__init__ = index  # type: ignore[method-assign]
    shard = remembering(SqliteEventLogStorage._initdb, "shard", of_engine)
    SqliteEventLogStorage._initdb = shard  # type: ignore[method-assign]


def _file_of_storage(name: str, base_dir: str, inst_data: Any = None) -> Path:
    return Path(base_dir) / f"{name}.db"


def prepare() -> None:
    """Fills the caches with what all processes need that are forked from this one."""
    import dagster as dg

    with (
        tempfile.TemporaryDirectory() as folder,
        dg.DagsterInstance.local_temp(folder, overrides={"telemetry": {"enabled": False}}) as new,
    ):
        new.all_logs("none")


def _write_without_waiting(connection: Any, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = off")


def _replace(
    package: str, name: str, new: Callable[..., Any], old: Callable[..., Any] | None = None
) -> None:
    """Puts `new` into all modules of `package` that have imported a function by its name."""
    old = old or new.__wrapped__  # type: ignore[attr-defined]
    for module in list(sys.modules.values()):
        if module.__name__.startswith(package) and vars(module).get(name) is old:
            setattr(module, name, new)
