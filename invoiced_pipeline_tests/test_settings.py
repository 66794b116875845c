"""Settings: where they come from, which one wins, and the error of a wrong one."""

import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import (
    ScheduleSettings,
    Settings,
    dataset_name,
    is_loopback,
    load_settings,
    parse_start_date,
)

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
KEY = "secret7890abcdefghijklmnop123456"
URL = "http://127.0.0.1:8085"
REPOSITORY = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def settings_of(folder: Path, toml: str = "", dotenv: str = "", **environment: str) -> Settings:
    if toml:
        (folder / "invoiced.toml").write_text(toml, encoding="utf-8")
    if dotenv:
        (folder / ".env").write_text(dotenv, encoding="utf-8")
    return load_settings(environment, folder)


def complaint(folder: Path, toml: str = "", dotenv: str = "", **environment: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(folder, toml, dotenv, **environment)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def shown(settings: Settings) -> str:
    """Every way to print settings."""
    return "".join(
        [
            repr(settings),
            str(settings),
            repr(settings.model_dump()),
            repr(settings.model_dump(mode="json")),
            settings.model_dump_json(),
            repr(settings.connection),
            repr(settings.secrets),
        ]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01/31/2025", datetime(2025, 1, 31, tzinfo=UTC)),
        ("1/2/2025", datetime(2025, 1, 2, tzinfo=UTC)),
        ("2025-01-31", datetime(2025, 1, 31, tzinfo=UTC)),
        ("  2025-01-31 ", datetime(2025, 1, 31, tzinfo=UTC)),
        ("2025-01-31T00:00:00Z", datetime(2025, 1, 31, tzinfo=UTC)),
        ("2025-01-31T10:30:00+02:00", datetime(2025, 1, 31, 8, 30, tzinfo=UTC)),
        ("2025-01-31 10:30", datetime(2025, 1, 31, 10, 30, tzinfo=UTC)),
        ("02/29/2024", datetime(2024, 2, 29, tzinfo=UTC)),
        ("01/01/1970", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-03-15", datetime(2026, 3, 15, tzinfo=UTC)),
    ],
)
def test_start_date_in_its_forms(text: str, expected: datetime) -> None:
    parsed = parse_start_date(text, now=NOW)
    assert parsed == expected
    assert parsed.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("31/01/2025", "is not a date"),
        ("02/30/2025", "is not a date"),
        ("02/29/2025", "is not a date"),
        ("01-31-2025", "is not a date"),
        ("01/31/25", "is not a date"),
        ("20250131", "is not a date"),
        ("2025-13-01", "is not a date"),
        ("2025-1-5", "is not a date"),
        ("2025-01-31Tnoon", "is not a date"),
        ("yesterday", "is not a date"),
        ("1738281600", "is not a date"),
        ("0001-01-01T00:00:00+14:00", "is not a date"),
        ("", "is not a date"),
        ("03/16/2026", "future"),
        ("9999-12-31", "future"),
        ("12/31/1969", "1970"),
        ("0001-01-01", "1970"),
    ],
)
def test_nonsense_is_refused_with_the_accepted_forms(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_start_date(text, now=NOW)
    assert "MM/DD/YYYY such as 01/31/2025, or ISO such as 2025-01-31" in str(caught.value)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2026, 3, 14)))  # noqa: DTZ001
def test_both_forms_mean_the_same_day(day: datetime) -> None:
    assert parse_start_date(f"{day:%m/%d/}{day.year}", now=NOW) == parse_start_date(
        f"{day:%Y-%m-%d}", now=NOW
    )


@given(st.text(max_size=30))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        parsed = parse_start_date(text, now=NOW)
    except ValueError as error:
        message = str(error)
    else:
        message = f"{parsed:%Y-%m-%d}: Accepted forms"
    assert "Accepted forms" in message


def test_defaults_need_no_file_and_no_key(folder: Path) -> None:
    settings = settings_of(folder)
    assert settings.first.dataset == "invoiced"
    assert settings.first.base_url == "https://api.invoiced.com"
    assert settings.first.start_date is None
    assert settings.first.partitions == "monthly"
    assert settings.warehouse.path == folder / "data" / "warehouse.duckdb"
    assert settings.warehouse.destination == "duckdb"


def test_environment_over_dotenv_over_file_over_default(folder: Path) -> None:
    toml = """
        [warehouse]
        path = "file.duckdb"
        [[connection]]
        name = "from file"
        start_date = 2020-01-01
        partitions = "daily"
        overlap_minutes = 7
        deletions = "remove"
        sweep_max_share = 0.5
    """
    dotenv = "INVOICED_DATASET=from dotenv\nINVOICED_START_DATE=02/02/2021\nINVOICED_API_KEY=d\n"
    settings = settings_of(folder, toml, dotenv, INVOICED_DATASET="from env", INVOICED_API_KEY="e")
    first = settings.first
    assert first.dataset == "from_env"
    assert first.start_date == datetime(2021, 2, 2, tzinfo=UTC)
    assert first.partitions == "daily"
    assert first.overlap_minutes == 7
    assert (first.deletions, first.sweep_max_share) == ("remove", 0.5)
    assert settings.warehouse.path == folder / "file.duckdb"
    assert settings.api_key(first).get_secret_value() == "e"


def test_every_variable_arrives(folder: Path) -> None:
    settings = settings_of(
        folder,
        INVOICED_API_KEY=f" {KEY}\n",
        INVOICED_SANDBOX="true",
        INVOICED_START_DATE="01/31/2025",
        INVOICED_DATASET="My Company",
        INVOICED_PARTITIONS="weekly",
        INVOICED_DESTINATION="duckdb",
        INVOICED_DUCKDB_PATH="elsewhere.duckdb",
    )
    assert settings.first.dataset == "my_company"
    assert settings.first.base_url == "https://api.sandbox.invoiced.com"
    assert settings.first.partitions == "weekly"
    assert settings.warehouse.path == folder / "elsewhere.duckdb"
    assert settings.api_key(settings.first).get_secret_value() == KEY


@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_variable_is_as_good_as_none(folder: Path, blank: str) -> None:
    # Compose files and CI systems pass unset variables on as empty ones.
    dotenv = f"INVOICED_API_KEY={KEY}\nINVOICED_START_DATE=2021-02-02\nINVOICED_SANDBOX=\n"
    names = ("INVOICED_API_KEY", "INVOICED_START_DATE", "INVOICED_CONFIG", "INVOICED_API_URL")
    settings = settings_of(folder, "", dotenv, **dict.fromkeys(names, blank))
    assert settings.api_key(settings.first).get_secret_value() == KEY
    assert settings.first.start_date == datetime(2021, 2, 2, tzinfo=UTC)
    assert settings.first.base_url == "https://api.invoiced.com"


@pytest.mark.parametrize(
    ("toml", "environment", "said"),
    [
        ({}, {"INVOICED_SANDBOX": "1", "INVOICED_API_URL": URL}, "INVOICED_SANDBOX and INVOICED_"),
        ({"sandbox": "true"}, {"INVOICED_API_URL": URL}, "sandbox and INVOICED_API_URL name"),
        ({"api_url": f"'{URL}'"}, {"INVOICED_SANDBOX": "true"}, "INVOICED_SANDBOX and api_url"),
        ({"sandbox": "true", "api_url": f"'{URL}'"}, {}, "sandbox and api_url name different"),
    ],
)  # fmt: skip
def test_sandbox_and_another_host_are_a_conflict(
    folder: Path, toml: dict[str, str], environment: dict[str, str], said: str
) -> None:
    lines = "\n".join(f"{name} = {value}" for name, value in toml.items())
    text = complaint(folder, f"[[connection]]\n{lines}\n", **environment)
    assert f"connection 'Invoiced': {said}" in text


def test_another_host_without_the_sandbox(folder: Path) -> None:
    settings = settings_of(folder, INVOICED_API_URL=f"{URL}/", INVOICED_SANDBOX="false")
    assert settings.first.base_url == URL


@pytest.mark.parametrize(
    ("toml", "parts"),
    [
        (
            '[[connection]]\nstart_date = "soon"',
            ["connection 'Invoiced': start_date", "MM/DD/YYYY"],
        ),
        (
            "[[connection]]\nstart_date = 2999-01-01",
            ["connection 'Invoiced': start_date", "future"],
        ),
        (
            "[[connection]]\nstart_date = 20250131",
            ["connection 'Invoiced': start_date", "MM/DD/YYYY"],
        ),
        (
            '[[connection]]\npartitions = "hourly"',
            ["connection 'Invoiced': partitions", "'weekly'", "hourly"],
        ),
        ("[[connection]]\noverlap_minutes = -1", ["connection 'Invoiced': overlap_minutes", "0"]),
        (
            "[[connection]]\ndeletions = 'drop'",
            ["connection 'Invoiced': deletions", "mark", "remove"],
        ),
        ("[[connection]]\nsweep_max_share = 20", ["connection 'Invoiced': sweep_max_share", "1"]),
        ("[[connection]]\nsweep_max_share = 0", ["connection 'Invoiced': sweep_max_share", "0"]),
        (
            "[[connection]]\noverlap_minutes = 9999",
            ["connection 'Invoiced': overlap_minutes", "1440"],
        ),
        ('[[connection]]\nsandbox = "maybe"', ["connection 'Invoiced': sandbox", "true or false"]),
        ('[[connection]]\nname = ""', ["connection number 1: name"]),
        ('[[connection]]\nname = "42"', ["connection '42': name", "letter"]),
        (
            '[[connection]]\napi_url = "api.invoiced.com"',
            ["connection 'Invoiced': api_url", "https://host"],
        ),
        (
            '[[connection]]\napi_url = "ftp://host"',
            ["connection 'Invoiced': api_url", "https://host"],
        ),
        (
            '[[connection]]\napi_url = "http://host:port"',
            ["connection 'Invoiced': api_url", "https://host"],
        ),
        (
            '[[connection]]\napi_url = "http://[::1"',
            ["connection 'Invoiced': api_url", "https://host"],
        ),
        (
            '[[connection]]\nstart_dat = "2025-01-01"',
            ["connection 'Invoiced': start_dat", "start_date"],
        ),
        ('[warehouse]\nfile = "x"', ["warehouse.file", "path"]),
        ('[warehouse]\ndestination = "oracle"', ["warehouse.destination", "'duckdb'"]),
        ("warehouse = 5", ["warehouse", "[warehouse]"]),
        ("connection = 5", ["connection", "[[connection]]"]),
        ("connection = [5]", ["connection", "[[connection]]"]),
        ('[connection]\nname = "x"', ["connection", "[[connection]]"]),
        ("[[connection]]\napi_key_env = [1]", ["connection 'Invoiced': api_key_env"]),
        ("colour = 1", ["colour", "warehouse"]),
        ('[secrets]\nINVOICED_API_KEY = "x"', ["secrets"]),
        ('source = "x"', ["source"]),
        ('environment = "perhaps"', ["environment", "true or false"]),
        ("[[connection]\n", ["not valid TOML"]),
    ],
)
def test_wrong_value_in_the_file_names_file_key_and_forms(
    folder: Path, toml: str, parts: list[str]
) -> None:
    text = complaint(folder, toml)
    assert all(part in text for part in ["invoiced.toml", *parts]), text


@pytest.mark.parametrize(
    ("variable", "value", "parts"),
    [
        ("INVOICED_START_DATE", "31/01/2025", ["MM/DD/YYYY", "2025-01-31"]),
        ("INVOICED_PARTITIONS", "hourly", ["'monthly'", "'weekly'", "'daily'"]),
        ("INVOICED_SANDBOX", "maybe", ["true or false"]),
        ("INVOICED_API_URL", "nonsense", ["https://host"]),
        ("INVOICED_DATASET", "1st", ["letter"]),
        ("INVOICED_DESTINATION", "oracle", ["'duckdb' and 'postgres'"]),
    ],
)
@pytest.mark.parametrize("place", ["environment", "dotenv"])
def test_wrong_variable_names_variable_and_forms(
    folder: Path, variable: str, value: str, parts: list[str], place: str
) -> None:
    if place == "environment":
        text = complaint(folder, **{variable: value})
    else:
        text = complaint(folder, dotenv=f"{variable}={value}\n")
    assert all(part in text for part in [variable, *parts]), text
    assert "connection.0" not in text


def test_late_comes_before_stale(folder: Path) -> None:
    said = complaint(folder, "[[connection]]\nwarn_after_hours = 48\n")
    assert "warn_after_hours must be less than fail_after_hours" in said


def test_all_errors_are_reported_at_once(folder: Path) -> None:
    text = complaint(folder, INVOICED_START_DATE="soon", INVOICED_PARTITIONS="hourly")
    assert len(text.splitlines()) == 2


def test_variable_is_not_blamed_for_another_connection(folder: Path) -> None:
    toml = '[[connection]]\nname = "a"\n[[connection]]\nname = "b"\nstart_date = "soon"'
    text = complaint(folder, toml, INVOICED_START_DATE="2025-01-01")
    assert "connection 'b': start_date" in text
    assert "INVOICED_START_DATE" not in text


def test_named_file_must_exist(folder: Path) -> None:
    assert "missing.toml" in complaint(folder, INVOICED_CONFIG="missing.toml")
    (folder / "sub").mkdir()
    assert "sub" in complaint(folder, INVOICED_CONFIG="sub")


def test_named_file_is_read_instead(folder: Path) -> None:
    (folder / "other.toml").write_text('[[connection]]\nname = "other"', encoding="utf-8")
    settings = settings_of(folder, "nonsense", INVOICED_CONFIG="other.toml")
    assert settings.first.dataset == "other"
    assert settings.source == "other.toml"


@pytest.mark.parametrize("value", [None, "", "   "])
def test_missing_key_is_reported_with_the_variable(folder: Path, value: str | None) -> None:
    settings = settings_of(folder, **({} if value is None else {"INVOICED_API_KEY": value}))
    with pytest.raises(ConfigurationError, match="INVOICED_API_KEY"):
        settings.api_key(settings.first)


@pytest.mark.parametrize("key", ["“smart-quoted-key”", "ключ", "two words", "line\nbreak", "a:b"])
def test_key_that_cannot_be_one_is_refused_without_showing_it(folder: Path, key: str) -> None:
    settings = settings_of(folder, INVOICED_API_KEY=key)
    with pytest.raises(ConfigurationError, match="INVOICED_API_KEY") as caught:
        settings.api_key(settings.first)
    assert key not in "".join(traceback.format_exception(caught.value))


def test_key_of_another_variable(folder: Path) -> None:
    toml = '[[connection]]\napi_key_env = "MY_KEY"'
    settings = settings_of(folder, toml, MY_KEY=KEY, INVOICED_API_KEY="other")
    assert settings.api_key(settings.first).get_secret_value() == KEY


def test_key_is_never_shown(folder: Path) -> None:
    toml = f'[[connection]]\napi_url = "http://localhost:1"\napi_key = "{KEY}"'
    for settings in (settings_of(folder, toml), settings_of(folder, INVOICED_API_KEY=KEY)):
        assert KEY not in shown(settings)
        assert settings.api_key(settings.first).get_secret_value() == KEY


@pytest.mark.parametrize(
    "toml",
    [
        f'[[connection]]\napi_key = "{KEY}"',
        f'[[connection]]\nsandbox = true\napi_key = "{KEY}"',
        f'[[connection]]\napi_url = "https://example.com"\napi_key = "{KEY}"',
        f'[[connection]]\napi_url = "http://127.0.0.1.example.com"\napi_key = "{KEY}"',
        f'[[connection]]\napi_url = "http://localhost@example.com"\napi_key = "{KEY}"',
        f'[[connection]]\napikey = "{KEY}"',
        f'[[connection]]\napi_key = ["{KEY}"]',
        f'[[connection]]\napi_key = "{KEY}"\nstart_date = "soon"',
        f'api_key = "{KEY}"',
        f'[[connection]]\napi_key_env = "{KEY}"',
        f'[[connection]]\napi_url = "https://{KEY}@api.invoiced.com"',
        f'[[connection]]\napi_url = "https://user:{KEY}@api.invoiced.com"',
        f'[secrets]\nINVOICED_API_KEY = "{KEY}"',
        f'connection = ["{KEY}"]',
        f'[[connection]]\napi_key = "{KEY}',
    ],
)
def test_key_in_the_file_is_refused_unless_local_and_never_shown(folder: Path, toml: str) -> None:
    assert KEY not in complaint(folder, toml)


def test_refusal_of_a_key_in_the_file_says_what_to_do(folder: Path) -> None:
    text = complaint(folder, f'[[connection]]\napi_key = "{KEY}"')
    assert "api_key" in text
    assert "INVOICED_API_KEY" in text


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:8085", True),
        ("http://127.0.0.1", True),
        ("http://127.9.9.9:1", True),
        ("http://[::1]:8085", True),
        ("https://api.invoiced.com", False),
        ("http://192.168.0.1", False),
        ("http://localhost.example.com", False),
        ("", False),
    ],
)
def test_what_counts_as_this_machine(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


def test_demo_stands_alone() -> None:
    # Whatever the machine is set up for, a look around never touches a real account.
    environment = {
        "INVOICED_CONFIG": "demo.toml",
        "INVOICED_API_KEY": KEY,
        "INVOICED_API_URL": "https://api.invoiced.com",
        "INVOICED_DATASET": "production",
        "INVOICED_DUCKDB_PATH": "production.duckdb",
        "INVOICED_START_DATE": "nonsense",
    }
    settings = load_settings(environment, REPOSITORY)
    assert settings.first.dataset == "demo"
    assert is_loopback(settings.first.base_url)
    assert settings.warehouse.path == REPOSITORY / "data" / "demo" / "warehouse.duckdb"
    assert settings.api_key(settings.first).get_secret_value() != KEY


def test_file_that_stands_alone_may_leave_out_everything(folder: Path) -> None:
    settings = settings_of(folder, "environment = false", INVOICED_DATASET="other")
    assert settings.first.dataset == "invoiced"


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("Invoiced", "invoiced"),
        ("Stitch Invoiced", "stitch_invoiced"),
        ("  A--B  ", "a_b"),
        ("EU/2", "eu_2"),
    ],
)
def test_dataset_is_named_after_the_connection(name: str, dataset: str) -> None:
    assert dataset_name(name) == dataset


_SCHEDULE = """
[[connection]]
name = "Invoiced"
[connection.schedule]
frequency = "6h"
anchor = 03:30:00
timezone = "Europe/Berlin"
"""


def test_schedule_from_the_file_and_over_it_from_the_environment(folder: Path) -> None:
    assert settings_of(folder).first.schedule == ScheduleSettings()
    schedule = settings_of(folder, _SCHEDULE).first.schedule
    assert (schedule.frequency, str(schedule.anchor)) == (timedelta(hours=6), "03:30:00")
    assert (schedule.timezone, schedule.when_busy) == ("Europe/Berlin", "skip")
    schedule = settings_of(
        folder,
        _SCHEDULE,
        dotenv="INVOICED_SCHEDULE_CRON=0 30 9 ? * MON-FRI",
        INVOICED_SCHEDULE_DIALECT="quartz",
        INVOICED_SCHEDULE_WHEN_BUSY="wait",
    ).first.schedule
    assert (schedule.cron, schedule.dialect) == ("0 30 9 ? * MON-FRI", "quartz")
    assert (schedule.timezone, schedule.when_busy) == ("Europe/Berlin", "wait")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            'frequency = "1.5h"',
            "invoiced.toml: connection 'Invoiced': schedule.frequency: '1.5h' is not a f",
        ),
        ("frequency = 6", "schedule.frequency: '6' is not a frequency. Accepted forms: 30m, or wh"),
        ("anchor = 03:30:15", "schedule.anchor: '03:30:15' has seconds"),
        (
            'frequency = "30m"\nanchor = "9:00"',
            "schedule: anchor = '09:00:00' cannot be combined with",
        ),
        ('cron = "0 9 * * *"', "schedule: cron = '0 9 * * *' needs a dialect: dialect = "),
        ('timezone = "CEST"', "schedule.timezone: 'CEST' is not a time zone. Accepted forms: UTC,"),
        ('every = "1h"', "schedule.every: unknown setting; valid settings are frequency, anchor, "),
        ("when_busy = 1", "schedule.when_busy: Input should be 'skip' or 'wait' (got 1)"),
    ],
)
def test_wrong_schedules_are_reported_with_key_value_and_forms(
    folder: Path, lines: str, said: str
) -> None:
    assert said in complaint(folder, f"[[connection]]\n[connection.schedule]\n{lines}\n")


def test_a_wrong_schedule_in_the_environment_is_reported_by_its_variable(folder: Path) -> None:
    said = complaint(folder, INVOICED_SCHEDULE_FREQUENCY="90m")
    assert said.startswith("INVOICED_SCHEDULE_FREQUENCY: '90m' is not a frequency")
    said = complaint(folder, '[[connection]]\nschedule = "hourly"')
    assert "connection 'Invoiced': schedule: accepted form is [connection.schedule]" in said
