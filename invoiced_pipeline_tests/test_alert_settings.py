"""`[alerts]` and the variable with the addresses."""

from pathlib import Path

import pytest

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings, load_settings

SECRET = "json://user:SecretOfTheHook@example.com"


def load(folder: Path, toml: str = "", **environment: str) -> Settings:
    (folder / "invoiced.toml").write_text(toml, encoding="utf-8")
    return load_settings(environment, folder)


def addresses(settings: Settings) -> list[str]:
    return [each.get_secret_value() for each in settings.alert_addresses]


def test_addresses_are_separated_by_commas_blanks_or_lines(tmp_path: Path) -> None:
    text = "slack://T/T/T/#a,mailto://u:p@h?to=a@b.example,c@d.example  json://x/,\njsons://y/, "
    found = load(tmp_path, INVOICED_ALERT_URLS=text)
    assert addresses(found) == [
        "slack://T/T/T/#a",
        "mailto://u:p@h?to=a@b.example,c@d.example",
        "json://x/",
        "jsons://y/",
    ]
    assert "T/T/T" not in repr(found)
    assert addresses(load(tmp_path)) == []
    assert addresses(load(tmp_path, INVOICED_ALERT_URLS=" ")) == []


def test_another_variable_holds_them(tmp_path: Path) -> None:
    toml = '[alerts]\nurls_env = "ACME_ALERTS"\nui_url = "https://dagster.example.com/prefix/"\n'
    found = load(tmp_path, toml, ACME_ALERTS=SECRET, INVOICED_ALERT_URLS="json://other")
    assert addresses(found) == [SECRET]
    assert found.alerts.ui_url == "https://dagster.example.com/prefix"


@pytest.mark.parametrize("setting", ["urls_env", "ui_url"])
def test_an_address_in_the_wrong_place_is_refused_and_not_shown(
    tmp_path: Path, setting: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, f'[alerts]\n{setting} = "{SECRET}"\n')
    assert str(refused.value).startswith(f"invoiced.toml: alerts.{setting}: accepted form is")
    assert "SecretOfTheHook" not in str(refused.value)
