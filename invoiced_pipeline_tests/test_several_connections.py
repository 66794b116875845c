"""Several connections in one file: what they may share, and what must never meet."""

from pathlib import Path

import pytest

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings, load_settings

KEY, OTHER_KEY = "secret7890abcdefghijklmnop123456", "another890abcdefghijklmnop123456"
FIRST = '[[connection]]\nname = "Acme"\n'


def settings_of(folder: Path, toml: str, **environment: str) -> Settings:
    (folder / "invoiced.toml").write_text(toml, encoding="utf-8")
    return load_settings(environment, folder)


def complaint(folder: Path, toml: str, **environment: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(folder, toml, **environment)
    assert KEY not in str(caught.value)
    return str(caught.value)


def test_two_connections_to_one_account(tmp_path: Path) -> None:
    toml = FIRST + '[connection.schedule]\nfrequency = "30m"\n[[connection]]\nname = "Acme nightly"'
    settings = settings_of(tmp_path, toml, INVOICED_API_KEY=KEY)
    fast, nightly = settings.connection
    assert (fast.dataset, nightly.dataset) == ("acme", "acme_nightly")
    assert fast.schedule != nightly.schedule
    assert settings.api_key(fast) == settings.api_key(nightly)


def test_each_has_the_key_of_its_own_variable(tmp_path: Path) -> None:
    toml = FIRST + '[[connection]]\nname = "Beta"\nsandbox = true\napi_key_env = "BETA_KEY"'
    settings = settings_of(tmp_path, toml, INVOICED_API_KEY=KEY, BETA_KEY=OTHER_KEY, NOISE="x")
    keys = {each.name: settings.api_key(each).get_secret_value() for each in settings.connection}
    assert keys == {"Acme": KEY, "Beta": OTHER_KEY}
    assert settings.secrets.keys() == {"INVOICED_API_KEY", "BETA_KEY"}


def test_variables_describe_the_first_connection_only(tmp_path: Path) -> None:
    toml = FIRST + '[[connection]]\nname = "Beta"\napi_key_env = "BETA_KEY"'
    variables = {
        "INVOICED_SANDBOX": "true",
        "INVOICED_START_DATE": "01/31/2025",
        "INVOICED_PARTITIONS": "daily",
        "INVOICED_PROXY": "http://proxy:3128",
        "INVOICED_SCHEDULE_FREQUENCY": "6h",
    }
    first, second = settings_of(tmp_path, toml, **variables).connection
    assert second == settings_of(tmp_path, toml).connection[1]
    assert (first.sandbox, first.partitions, first.proxy is None) == (True, "daily", False)
    assert settings_of(tmp_path, toml, INVOICED_DATASET="Other").first.name == "Other"


@pytest.mark.parametrize(
    ("second", "parts"),
    [
        ('name = "ACME"', ["connection 'ACME': name: its", "'acme'", "connection 'Acme'"]),
        ('name = "Acme staging"', ["connection 'Acme staging': name", "such as dlt"]),
        (
            'name = "B"\nsandbox = true',
            [
                "connection 'B': api_key_env: INVOICED_API_KEY is the key of connection 'Acme'",
                "https://api.invoiced.com,",
                "https://api.sandbox.invoiced.com,",
                "Name another variable",
            ],
        ),
        ('name = "B"\napi_url = "https://example.com"', ["connection 'B': api_key_env: INVO"]),
        ('name = "B"\nstart_date = "soon"', ["connection 'B': start_date: 'soon'", "MM/DD/YYYY"]),
        ('name = "B"\npartitons = 1', ["connection 'B': partitons: unknown", "partitions"]),
        ('name = "B"\nschedule = 1', ["connection 'B': schedule: accepted form is [connection"]),
        (
            'name = "B"\n[connection.schedule]\nfrequency = "2.5h"',
            ["connection 'B': schedule.frequency: '2.5h' is not a frequency", "30m, or whole"],
        ),
        ('name = "B"\nowners = "bob"', ["'B': owners: accepted form is owners = [\"..."]),
        ('name = "B"\nowners = ["bob"]', ["connection 'B': owners: 'bob'", "team:name"]),
        ('name = "B"\ntags = ["x"]', ["'B': tags: accepted form is tags = { name = \""]),
        ('name = "B"\ntags = { "a b" = "c" }', ["connection 'B': tags: a b = 'c' is not a tag"]),
        ('name = "B"\ntags = { team = "a b" }', ["connection 'B': tags: team = 'a b' is not a t"]),
    ],
)  # fmt: skip
def test_a_wrong_second_connection_is_reported_by_its_position(
    tmp_path: Path, second: str, parts: list[str]
) -> None:
    toml = f"{FIRST}[[connection]]\n{second}\n"
    said = complaint(tmp_path, toml, INVOICED_START_DATE="2025-01-01")
    assert all(part in said for part in ["invoiced.toml: ", *parts]), said


def test_a_variable_that_sends_the_first_elsewhere_does_not_send_the_key_of_both(
    tmp_path: Path,
) -> None:
    toml = FIRST + '[[connection]]\nname = "Beta"'
    said = complaint(tmp_path, toml, INVOICED_API_URL="http://127.0.0.1:8085")
    assert "INVOICED_API_KEY is the key of connection 'Acme' at http://127.0.0.1:8085" in said


def test_one_key_in_two_variables_opens_neither_of_two_hosts(tmp_path: Path) -> None:
    toml = FIRST + '[[connection]]\nname = "Beta"\nsandbox = true\napi_key_env = "BETA_KEY"'
    settings = settings_of(tmp_path, toml, INVOICED_API_KEY=KEY, BETA_KEY=KEY)
    for connection in settings.connection:
        with pytest.raises(ConfigurationError, match="hold the same key") as caught:
            settings.api_key(connection)
        assert KEY not in str(caught.value)


def test_a_connection_is_found_by_name_or_dataset(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, FIRST + '[[connection]]\nname = "Beta Two"')
    assert settings.find(None) is settings.first
    assert settings.find("Beta Two") is settings.find("beta_two") is settings.connection[1]
    with pytest.raises(ConfigurationError, match=r"'Gamma'\. Its connections: Acme, Beta Two"):
        settings.find("Gamma")


@pytest.mark.parametrize(
    "proxy",
    ["proxy.example.com", "socks5://host:1", "http://", "http://host:port", "http://host/path"],
)
def test_a_wrong_proxy_is_reported_without_its_password(tmp_path: Path, proxy: str) -> None:
    wrong = proxy.replace("http://", f"http://user:{KEY}@")
    for said in (
        complaint(tmp_path, f'{FIRST}proxy = "{wrong}"'),
        complaint(tmp_path, FIRST, INVOICED_PROXY=wrong),
    ):
        assert "http://host:port or https://user:password@host:port" in said


def test_a_proxys_password_is_never_shown(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f'{FIRST}proxy = "http://user:{KEY}@host:3128"')
    shown = f"{settings!r}{settings.model_dump_json()}{settings.first}"
    assert KEY not in shown
    assert settings.first.proxy is not None
    assert settings.first.proxy.get_secret_value() == f"http://user:{KEY}@host:3128"
