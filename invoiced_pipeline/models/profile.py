"""dbt's profile of a warehouse: how dbt connects, without a secret in any file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoiced_pipeline.models.project import NAME
from invoiced_pipeline.settings import WarehouseSettings

_PASSWORD = "DBT_ENV_SECRET_INVOICED_PASSWORD"  # noqa: S105 - dbt hides variables with this prefix
_THREADS = 4
_LIBPQ = {"connect_timeout": "PGCONNECT_TIMEOUT", "application_name": "PGAPPNAME"}
"""Options whose variables are not called like them."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile.

    Attributes:
        output: What dbt reads of it, without secrets.
        environment: Variables for dbt's process, among them the password.
    """

    output: Mapping[str, Any]
    environment: Mapping[str, str]

    def write(self, folder: Path) -> None:
        """Writes `profiles.yml` into a folder; JSON is YAML."""
        text = json.dumps({NAME: {"target": "warehouse", "outputs": {"warehouse": self.output}}})
        (folder / "profiles.yml").write_text(text, encoding="utf-8")


def profile_of(warehouse: WarehouseSettings, schema: str) -> Profile:
    """Returns the profile of a warehouse.

    Options of a PostgreSQL connection are passed on in libpq's own variables.

    Args:
        warehouse: Its settings; a server must be set for PostgreSQL.
        schema: Where models are built.
    """
    shared = {"schema": schema, "threads": _THREADS}
    if warehouse.destination == "duckdb":
        path = str(warehouse.path.resolve())
        return Profile({"type": "duckdb", "path": path, **shared}, {})
    server = warehouse.credentials
    assert server is not None  # noqa: S101 - the writer's lock was taken there
    options = {name: value.get_secret_value() for name, value in server.query.items()}
    output = {
        "type": "postgres",
        "host": options.pop("host", server.host),
        "port": server.port,
        "user": server.username,
        "password": f"{{{{ env_var('{_PASSWORD}') }}}}",
        "dbname": server.database,
        **shared,
    }
    variables = {_variable(name): value for name, value in options.items()}
    password = server.password.get_secret_value() if server.password else ""
    return Profile(output, {**variables, _PASSWORD: password})


def _variable(option: str) -> str:
    return _LIBPQ.get(option, f"PG{option.replace('_', '').upper()}")
