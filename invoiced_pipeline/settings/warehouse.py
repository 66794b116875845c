"""`[warehouse]`: where data lands, and the credentials of a server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from invoiced_pipeline.settings.strict import Strict

URL_FORM = "postgresql://user:password@host:5432/database"
URL_VARIABLE = "INVOICED_POSTGRES_URL"

Destination = Literal["duckdb", "postgres"]


class WarehouseSettings(Strict):
    """`[warehouse]`: where data lands."""

    destination: Destination = Field(
        default="duckdb", description="The kind of warehouse.", examples=["postgres"]
    )
    path: Path = Field(
        default=Path("data/invoiced.duckdb"),
        description="The DuckDB file. What belongs to a server's warehouse on this machine lies "
        "in the same folder.",
        examples=["/srv/warehouse/invoiced.duckdb"],
    )
    credentials: SecretStr | None = Field(
        default=None,
        description=f"The server, as `{URL_FORM}`. One with a password belongs into the "
        "variable, never into the file.",
        examples=["postgresql://loader@db.example.com:5432/warehouse?sslmode=require"],
    )

    @field_validator("credentials")
    @classmethod
    def _is_a_server(cls, credentials: SecretStr | None) -> SecretStr | None:
        url = credentials.get_secret_value().strip() if credentials else ""
        if not url:
            return None
        try:
            parts = urlsplit(url)
            is_server = bool(parts.hostname and parts.username and parts.path.strip("/"))
            is_server = is_server and parts.port != 0
        except ValueError:  # a port that is no number, or half of an IPv6 address
            is_server, parts = False, None
        if parts is None or not is_server or parts.scheme not in {"postgresql", "postgres"}:
            msg = f"not the address of a database. Accepted form is {URL_FORM}"
            raise ValueError(
                msg + "; signs such as @ and / in a password are written as %40 and %2F"
            )
        return SecretStr("postgresql" + url.removeprefix(parts.scheme))


def secret_in_file(document: Mapping[str, Any]) -> str | None:
    """What of `[warehouse]` in a file is a secret, and where it belongs; None when nothing is."""
    warehouse = document.get("warehouse")
    if not isinstance(warehouse, dict):
        return None
    try:
        has_secret = urlsplit(str(warehouse.get("credentials", ""))).password
    except ValueError:
        return None  # the validation says what is wrong with it
    if has_secret:
        return f"warehouse.credentials: it holds a password. Set {URL_VARIABLE} instead"
    return None
