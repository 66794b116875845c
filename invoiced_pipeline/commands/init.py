"""`invoiced-pipeline init`: a project folder with settings, the API key and a workspace."""

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr, ValidationError

from invoiced_pipeline.commands.init_files import (
    DAGSTER_HOME,
    GITIGNORE,
    WORKSPACE,
    dotenv_file,
    settings_file,
)
from invoiced_pipeline.defs.launch.home import make_home
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import ConnectionSettings, Settings, load_settings

_ASKED = {
    "name": "Name of the connection, which names the dataset",
    "api_key": "API key (Invoiced: Settings > Developers > API Keys; empty: later)",
    "start_date": "Start date, MM/DD/YYYY or ISO (empty: a year before the first sync)",
    "frequency": "How often a sync starts, 30m or 1h to 24h",
}
_DEFAULTS = {"name": "Invoiced", "api_key": "", "start_date": "", "frequency": "1h"}


def init(  # noqa: PLR0913, PLR0917 - one parameter per option
    folder: Annotated[
        Path, typer.Argument(help="The project folder; it is created if it is missing.")
    ] = Path(),
    name: Annotated[
        str | None, typer.Option(help="Name of the connection; Invoiced by default.")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="INVOICED_API_KEY",
            show_envvar=False,
            help="The API key; it is written only to .env. Other users of this machine can see "
            "options, so rather set the variable INVOICED_API_KEY.",
        ),
    ] = None,
    start_date: Annotated[
        str | None,
        typer.Option(help="Records updated before it are not replicated: MM/DD/YYYY or ISO."),
    ] = None,
    frequency: Annotated[
        str | None, typer.Option(help="How often a sync starts: 30m, or 1h to 24h; 1h by default.")
    ] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="The key is a sandbox key.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the warehouse and of Dagster's run history, if it is not data/ in the "
            "project folder."
        ),
    ] = None,
) -> None:
    """Asks for what the options do not say, and writes the project's files."""
    home = folder.absolute()
    _check_free(home)
    given = {
        option: value.strip()
        for option, value in (
            ("name", name),
            ("api_key", api_key),
            ("start_date", start_date),
            ("frequency", frequency),
        )
        if value is not None
    }
    for option, value in given.items():
        _check(option, value, f"--{option.replace('_', '-')}: ")
    can_ask = sys.stdin.isatty() and sys.stdout.isatty()
    answers = {
        option: given[option] if option in given else _answer(option, can_ask=can_ask)
        for option in _ASKED
    }
    _write(home, answers, data=data.absolute() if data else None, sandbox=sandbox)
    _show_what_is_next(home, has_key=bool(answers["api_key"]))


def _check_free(home: Path) -> None:
    """Checks that the folder has no settings, and no warehouse that must be moved first."""
    there = [str(home / name) for name in ("invoiced.toml", ".env") if (home / name).exists()]
    if there:
        verb = "exists" if len(there) == 1 else "exist"
        message = (
            f"{' and '.join(there)} {verb} already. Nothing was written: edit the existing "
            "settings, or name another folder"
        )
        raise ConfigurationError(message)
    if home.exists() and not home.is_dir():
        message = f"{home} is a file: name a folder"
        raise ConfigurationError(message)
    load_settings({}, home)


def _answer(option: str, *, can_ask: bool) -> str:
    """Asks until the answer is valid; returns the default if nobody can be asked."""
    if not can_ask:
        return _DEFAULTS[option]

    def checked(value: str) -> str:
        try:
            _check(option, value.strip())
        except ConfigurationError as error:
            raise typer.BadParameter(str(error)) from error
        return value.strip()

    return typer.prompt(
        _ASKED[option],
        default=_DEFAULTS[option],
        show_default=bool(_DEFAULTS[option]),
        hide_input=option == "api_key",
        value_proc=checked,
    )


def _check(option: str, value: str, where: str = "") -> None:
    """Checks an answer as the settings will.

    Raises:
        ConfigurationError: The answer is not valid; the text does not repeat a key.
    """
    checks: dict[str, Callable[[], Any]] = {
        "name": lambda: Settings(connection=[ConnectionSettings(name=value)]),
        "api_key": lambda: _check_key(value),
        "start_date": lambda: ConnectionSettings.model_validate({"start_date": value}),
        "frequency": lambda: ConnectionSettings.model_validate(
            {"schedule": {"frequency": value or None}}
        ),
    }
    try:
        checks[option]()
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        message = f"{where}{reason}"
    else:
        return
    raise ConfigurationError(message)


def _check_key(key: str) -> None:
    if not key:
        return
    settings = Settings(secrets={"INVOICED_API_KEY": SecretStr(key)})
    settings.api_key(settings.first)


def _write(home: Path, answers: dict[str, str], *, data: Path | None, sandbox: bool) -> None:
    dagster_home = data / DAGSTER_HOME.name if data else home / DAGSTER_HOME
    settings = settings_file(
        ConnectionSettings(name=answers["name"]),
        data=data,
        start_date=answers["start_date"],
        frequency=answers["frequency"],
        sandbox=sandbox,
    )
    try:
        home.mkdir(parents=True, exist_ok=True)
        _create(home / ".env", dotenv_file(answers["api_key"], dagster_home), mode=0o600)
        _create(home / "invoiced.toml", settings)
        for path, text in (
            (home / ".gitignore", GITIGNORE),
            (home / "workspace.yaml", WORKSPACE),
        ):
            if path.exists():
                note = ": it should name .env and data/" if path.name == ".gitignore" else ""
                typer.echo(f"kept   {path}{note}")
            else:
                _create(path, text)
        make_home(dagster_home)
    except OSError as error:
        message = f"Cannot write in {home}: {error.strerror}. Check path and permissions"
        raise ConfigurationError(message) from error


def _create(path: Path, text: str, mode: int = 0o666) -> None:
    """Creates a file with the access that `mode` and the umask allow; fails if it exists."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    typer.echo(f"wrote  {path}")


def _show_what_is_next(home: Path, *, has_key: bool) -> None:
    place = shlex.quote(str(home))
    if not has_key:
        typer.echo(f"\nPut your API key into {home / '.env'}, as INVOICED_API_KEY.")
    typer.echo(
        f"\nNext:\n  cd {place}\n"
        "  invoiced-pipeline check   # test the key, the tables and the warehouse\n"
        "  invoiced-pipeline sync    # replicate\n"
        "  invoiced-pipeline ui      # Dagster's UI on http://localhost:3000, with the same runs\n"
        f"To use the project from another folder: "
        f"export INVOICED_CONFIG={shlex.quote(str(home / 'invoiced.toml'))}"
    )
