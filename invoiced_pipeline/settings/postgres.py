"""`[warehouse.credentials]`: a PostgreSQL server, with the fields of dlt's credentials.

An address (`postgresql://...`) is parsed into the same fields.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import Field, SecretStr, field_validator

from invoiced_pipeline.settings.base import SettingsModel

URL_FORM = "postgresql://user:password@host:5432/database"
URL_VARIABLE = "INVOICED_POSTGRES_URL"
PASSWORD_VARIABLE = "INVOICED_POSTGRES_PASSWORD"  # noqa: S105 - a variable's name

_SECRET_OPTIONS = frozenset({"password", "sslpassword"})


class ServerSettings(SettingsModel):
    """`[warehouse.credentials]`: the PostgreSQL server, as an alternative to an address."""

    host: str = Field(
        description="Host name or IP address.", examples=["db.example.com"], min_length=1
    )
    port: int = Field(default=5432, ge=1, le=65535, description="Port.", examples=[5433])
    database: str = Field(description="Database.", examples=["warehouse"], min_length=1)
    username: str = Field(description="User who loads.", examples=["loader"], min_length=1)
    password_env: str = Field(
        default=PASSWORD_VARIABLE,
        pattern="^[A-Z][A-Z0-9_]*$",
        description="The environment variable that holds the password. If it is not set, libpq "
        "uses `~/.pgpass`, or connects without a password.",
        examples=["WAREHOUSE_PASSWORD"],
    )
    query: dict[str, SecretStr] = Field(
        default={},
        description="Connection options of libpq.",
        examples=[{"sslmode": "verify-full", "sslrootcert": "/etc/ssl/db.pem"}],
    )
    password: SecretStr | None = Field(default=None, exclude=True)

    @field_validator("query")
    @classmethod
    def _options_are_named(cls, query: dict[str, SecretStr]) -> dict[str, SecretStr]:
        if not all(name.isidentifier() for name in query):
            message = 'accepted form is { sslmode = "require" }'
            raise ValueError(message)
        return query

    @property
    def url(self) -> SecretStr:
        """The address for drivers, including the password.

        It always has a password, possibly an empty one, which libpq treats as none: without it dlt
        would look for a password in its own configuration.
        """
        password = self.password.get_secret_value() if self.password else ""
        host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe=",")
        address = (
            f"postgresql://{quote(self.username, safe='')}:{quote(password, safe='')}"
            f"@{host}:{self.port}/{quote(self.database, safe='')}"
        )
        options = "&".join(
            f"{name}={quote(value.get_secret_value(), safe='/')}"
            for name, value in self.query.items()
        )
        return SecretStr(f"{address}?{options}" if options else address)


def fields_of(url: str) -> dict[str, Any]:
    """Parses an address into fields.

    Raises:
        ValueError: The text is not an address; the message does not repeat it.
    """
    try:
        parts = urlsplit(url)
        host, port = _host(parts.netloc), parts.port
        options = dict(each.split("=", 1) for each in parts.query.split("&") if each)
    except ValueError:  # a port that is not a number, a broken IPv6 address, an option without "="
        parts, host, port, options = urlsplit(""), "", None, {}
    database = parts.path.strip("/")
    is_server = parts.scheme in {"postgresql", "postgres"} and port != 0
    if not (is_server and host and parts.username and database):
        message = f"not the address of a database. Accepted form is {URL_FORM}"
        raise ValueError(message + "; in a password, write @ as %40 and / as %2F")
    query = {name: unquote(value) for name, value in options.items()}
    password = query.pop("password", unquote(parts.password or ""))
    return {
        "host": host,
        "database": unquote(database),
        "username": unquote(parts.username),
        **({"password": password} if password else {}),
        "query": query,
        **({} if port is None else {"port": port}),
    }


def secret_of(credentials: object) -> str | None:
    """Returns the variable for a secret found in a file's credentials; None without a secret."""
    if isinstance(credentials, Mapping):
        variable = str(credentials.get("password_env", PASSWORD_VARIABLE))
        held, query = credentials.keys(), credentials.get("query")
        held = held | query.keys() if isinstance(query, Mapping) else held
        return variable if held & _SECRET_OPTIONS else None
    try:
        parts = urlsplit(str(credentials or ""))
        named = {each.split("=", 1)[0] for each in parts.query.split("&")}
        return URL_VARIABLE if parts.password or named & _SECRET_OPTIONS else None
    except ValueError:
        return None  # the validation reports what is wrong with it


def _host(netloc: str) -> str:
    """Returns the host, with its case: it may be a folder of sockets."""
    host = netloc.rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return unquote(host.partition(":")[0])
