"""`[warehouse]`: the kind, the address, and secrets that are never in the file."""

from pathlib import Path

import pytest

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import load_settings

SECRET = "NeverToBeSeenPassword"
URL = f"postgresql://loader:{SECRET}@db.example.com:5432/warehouse?sslmode=require"


def complaint(folder: Path, text: str = "", **environment: str) -> str:
    (folder / "invoiced.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as told:
        load_settings(environment, folder)
    assert SECRET not in str(told.value)
    return str(told.value)


def test_a_server_from_the_environment(tmp_path: Path) -> None:
    environment = {"INVOICED_DESTINATION": "postgres", "INVOICED_POSTGRES_URL": URL}
    settings = load_settings(environment, tmp_path)
    assert settings.warehouse.destination == "postgres"
    assert settings.warehouse.credentials is not None
    assert settings.warehouse.credentials.get_secret_value() == URL
    assert SECRET not in f"{settings!r} {settings.warehouse} {settings.model_dump_json()}"


def test_a_server_from_file_and_dotenv(tmp_path: Path) -> None:
    address = "postgres://loader@db.example.com/warehouse"
    text = f'[warehouse]\ndestination = "postgres"\ncredentials = "{address}"\n'
    (tmp_path / "invoiced.toml").write_text(text, encoding="utf-8")
    settings = load_settings({}, tmp_path)
    assert settings.warehouse.credentials is not None
    found = settings.warehouse.credentials.get_secret_value()
    assert found == "postgresql://loader@db.example.com/warehouse"
    (tmp_path / ".env").write_text(f"INVOICED_POSTGRES_URL={URL}\n", encoding="utf-8")
    settings = load_settings({}, tmp_path)
    assert settings.warehouse.credentials is not None
    assert settings.warehouse.credentials.get_secret_value() == URL


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
def test_what_is_no_address_is_told_without_repeating_it(tmp_path: Path, value: str) -> None:
    told = complaint(tmp_path, INVOICED_POSTGRES_URL=value)
    assert told.startswith("INVOICED_POSTGRES_URL: not the address of a database")
    assert "postgresql://user:password@host:5432/database" in told


def test_a_password_in_the_file_is_refused(tmp_path: Path) -> None:
    told = complaint(tmp_path, f'[warehouse]\ncredentials = "{URL}"\n')
    assert "invoiced.toml: warehouse.credentials: it holds a password" in told
    assert "INVOICED_POSTGRES_URL" in told
    told = complaint(tmp_path, f'[warehouse]\npassword = "{SECRET}"\n')
    assert "warehouse.password: there is no such setting; there are destination, path" in told
    told = complaint(tmp_path, f'[warehouse]\ncredentials = "x://a:{SECRET}@[h/"\n')
    assert "not the address of a database" in told
