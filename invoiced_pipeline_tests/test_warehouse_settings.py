"""`[warehouse]`: the kind, the address, and secrets that are never in the file."""

from pathlib import Path

import pytest

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings, load_settings

SECRET = "NeverToBeSeenPassword"
URL = f"postgresql://loader:{SECRET}@db.example.com:5432/warehouse?sslmode=require"


def address(settings: Settings) -> str:
    assert settings.warehouse.server is not None
    return settings.warehouse.server.get_secret_value()


def complaint(folder: Path, text: str = "", **environment: str) -> str:
    (folder / "invoiced.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment, folder)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_a_server_from_the_environment(tmp_path: Path) -> None:
    environment = {"INVOICED_DESTINATION": "postgres", "INVOICED_POSTGRES_URL": URL}
    settings = load_settings(environment, tmp_path)
    assert settings.warehouse.destination == "postgres"
    assert address(settings) == URL
    assert SECRET not in f"{settings!r} {settings.warehouse} {settings.model_dump_json()}"


def test_a_server_from_file_and_dotenv(tmp_path: Path) -> None:
    bare = "postgres://loader@db.example.com/warehouse"
    text = f'[warehouse]\ndestination = "postgres"\ncredentials = "{bare}"\n'
    (tmp_path / "invoiced.toml").write_text(text, encoding="utf-8")
    settings = load_settings({}, tmp_path)
    assert address(settings) == "postgresql://loader:@db.example.com:5432/warehouse"
    (tmp_path / ".env").write_text(f"INVOICED_POSTGRES_URL={URL}\n", encoding="utf-8")
    settings = load_settings({}, tmp_path)
    assert address(settings) == URL


FIELDS = """
[warehouse]
destination = "postgres"
[warehouse.credentials]
host = "db.example.com"
database = "warehouse"
username = "loader"
query = { sslmode = "require" }
"""


@pytest.mark.parametrize("variable", ["INVOICED_POSTGRES_PASSWORD", "WAREHOUSE_PASSWORD"])
def test_fields_instead_of_an_address(tmp_path: Path, variable: str) -> None:
    named = "" if variable.startswith("INVOICED") else f'password_env = "{variable}"\n'
    (tmp_path / "invoiced.toml").write_text(FIELDS + named, encoding="utf-8")
    settings = load_settings({variable: SECRET}, tmp_path)
    assert address(settings) == URL
    assert SECRET not in f"{settings!r} {settings.warehouse} {settings.model_dump_json()}"
    without = load_settings({}, tmp_path)
    assert address(without) == URL.replace(SECRET, "")
    instead = load_settings({"INVOICED_POSTGRES_URL": URL.replace("db.", "other.")}, tmp_path)
    assert address(instead) == URL.replace("db.", "other.")


def test_the_password_alone_from_the_environment(tmp_path: Path) -> None:
    bare = "postgresql://loader@db.example.com/warehouse?sslmode=require"
    text = f'[warehouse]\ncredentials = "{bare}"\n'
    (tmp_path / "invoiced.toml").write_text(text, encoding="utf-8")
    environment = {"INVOICED_POSTGRES_PASSWORD": SECRET}
    assert address(load_settings(environment, tmp_path)) == URL
    own = environment | {"INVOICED_POSTGRES_URL": URL.replace(SECRET, "its-own")}
    assert address(load_settings(own, tmp_path)) == URL.replace(SECRET, "its-own")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://loader:a%40b%2Fc%25d%3F%23%20e@db.example.com:5433/warehouse",
        "postgresql://loader:x@[2001:db8::1]:5432/warehouse",
        "postgresql://a%40b:x@%2Ftmp%2FSockets:5432/w%20h?sslmode=require&sslrootcert=/etc/a%26b",
        "postgresql://loader:x@localhost:5432/warehouse?host=/tmp/pgABC",
    ],
)
def test_an_address_keeps_what_it_says(tmp_path: Path, url: str) -> None:
    assert address(load_settings({"INVOICED_POSTGRES_URL": url}, tmp_path)) == url


def test_a_password_among_the_options_is_one(tmp_path: Path) -> None:
    url = f"postgresql://loader@db/warehouse?password={SECRET}"
    settings = load_settings({"INVOICED_POSTGRES_URL": url}, tmp_path)
    assert address(settings) == f"postgresql://loader:{SECRET}@db:5432/warehouse"
    assert SECRET not in f"{settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize("name", ["filesystem", "ducklake", "snowflake", "postgresql"])
def test_an_unknown_destination_is_refused_with_the_accepted_ones(
    tmp_path: Path, name: str
) -> None:
    message = complaint(tmp_path, f'[warehouse]\ndestination = "{name}"\n')
    assert "invoiced.toml: warehouse.destination: accepted values are 'duckdb' and" in message
    assert f"(got '{name}')" in message
    assert "docs/other-warehouses.md" in message


def test_an_address_as_the_destination_is_not_repeated(tmp_path: Path) -> None:
    assert complaint(tmp_path, INVOICED_DESTINATION=URL).startswith(
        "INVOICED_DESTINATION: accepted values are"
    )


def test_the_definitions_need_no_server(tmp_path: Path) -> None:
    assert (
        load_settings({"INVOICED_DESTINATION": "postgres"}, tmp_path).warehouse.credentials is None
    )


@pytest.mark.parametrize(
    "value",
    [
        f"mysql://loader:{SECRET}@host/database",
        f"postgresql://loader:{SECRET}@host",
        f"postgresql://:{SECRET}@host/database",
        f"postgresql://loader:{SECRET}@/database",
        f"postgresql://loader:{SECRET}@host:port/database",
        f"postgresql://loader:{SECRET}@[host/database",
        f"host=db password={SECRET}",
        SECRET,
    ],
)
def test_an_invalid_address_is_not_repeated(tmp_path: Path, value: str) -> None:
    message = complaint(tmp_path, INVOICED_POSTGRES_URL=value)
    assert message.startswith("INVOICED_POSTGRES_URL: not the address of a database")
    assert "postgresql://user:password@host:5432/database" in message


def test_a_password_in_the_file_is_refused(tmp_path: Path) -> None:
    message = complaint(tmp_path, f'[warehouse]\ncredentials = "{URL}"\n')
    assert "invoiced.toml: warehouse.credentials: passwords are not allowed in the file" in message
    assert "INVOICED_POSTGRES_URL" in message
    message = complaint(tmp_path, f'{FIELDS}password = "{SECRET}"\n')
    assert (
        "passwords are not allowed in the file. Set INVOICED_POSTGRES_PASSWORD instead" in message
    )
    own = f'password_env = "PG_SECRET"\npassword = "{SECRET}"\n'
    assert "passwords are not allowed in the file. Set PG_SECRET instead" in complaint(
        tmp_path, FIELDS + own
    )
    for hidden in ("password", "sslpassword"):
        text = FIELDS.replace("sslmode", f'{hidden} = "{SECRET}", sslmode')
        assert "passwords are not allowed in the file" in complaint(tmp_path, text)
        text = f'[warehouse]\ncredentials = "postgresql://a@h/d?{hidden}={SECRET}"\n'
        assert "passwords are not allowed in the file" in complaint(tmp_path, text)
    message = complaint(tmp_path, f'[warehouse]\npassword = "{SECRET}"\n')
    assert "warehouse.password: unknown setting; valid settings are destination, path" in message
    message = complaint(tmp_path, f'[warehouse]\ncredentials = "x://a:{SECRET}@[h/"\n')
    assert "not the address of a database" in message


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("port = 0", "warehouse.credentials.port: "),
        ("user = 'x'", "warehouse.credentials.user: unknown setting; valid settings are host, "),
        ("password_env = 'a b'", "accepted form is a name in capitals"),
    ],
)
def test_a_field_that_is_wrong_is_named(tmp_path: Path, wrong: str, message: str) -> None:
    found = complaint(tmp_path, f"{FIELDS}{wrong}\n", INVOICED_POSTGRES_PASSWORD=SECRET)
    assert message in found
    assert "password," not in found
    missing = complaint(tmp_path, FIELDS.replace('host = "db.example.com"', ""))
    assert "warehouse.credentials.host: Field required" in missing
