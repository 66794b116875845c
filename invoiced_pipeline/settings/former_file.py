"""The warehouse at the place where version 0.1.0 kept it: the user moves it before anything runs.

A new warehouse beside the old one would start with an empty ledger, and write-backs would send
payments again that the old ledger records as sent.
"""

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings.models import Settings
from invoiced_pipeline.settings.warehouse import DEFAULT_PATH

FORMER_DEFAULT = Path("data/invoiced.duckdb")

_OF_A_FILE = ("{}.wal*", "{}.*.start_date", "{}.dlt", "{}.lock", "{}")
"""A DuckDB file and the files beside it. The file itself moves last: until then, runs refuse."""


def refuse_former_file(settings: Settings, configured: Path | None, directory: Path) -> None:
    """Raises an error if the only warehouse file is the one that version 0.1.0 would open.

    Version 0.1.0 had another default name and resolved relative paths against the working
    directory.

    Args:
        settings: All settings; the warehouse's path is absolute.
        configured: The configured path; None if the default applies.
        directory: The working directory.

    Raises:
        ConfigurationError: There is such a file. The message lists the commands that move it.
    """
    path = settings.warehouse.path
    if settings.warehouse.destination != "duckdb":
        former_folder = directory / (configured or DEFAULT_PATH).parent
        _refuse_former_folder(settings, former_folder)
        return
    if path.exists():
        return
    former = [file for file in _candidates(settings, configured, directory) if file.is_file()]
    if not former:
        return
    moves = _moves(former[0].parent, path.parent, _OF_A_FILE, former[0].name, path.name)
    others = "".join(f"There is also {file}: move the one that is in use. " for file in former[1:])
    message = (
        f"The warehouse is still where version 0.1.0 kept it: {former[0]}. This version opens "
        f"{path}, which does not exist. A new file there would not record what was sent to "
        f"Invoiced, so payments would go out twice. Nothing was changed. {others}Stop Dagster, "
        f"move the file and the files beside it, then run again:\n{_indented(moves)}\n"
        "If it is no longer in use, rename it."
    )
    raise ConfigurationError(message)


def _candidates(settings: Settings, configured: Path | None, directory: Path) -> list[Path]:
    """Lists where the file may be, most likely first."""
    found = [] if configured is None else [directory / configured]
    if settings.warehouse.path == settings.folder / DEFAULT_PATH:
        found += [directory / FORMER_DEFAULT, settings.folder / FORMER_DEFAULT]
    return list(dict.fromkeys(found))


def _refuse_former_folder(settings: Settings, former: Path) -> None:
    """Raises an error if the pinned start dates of a server's warehouse would be left behind."""
    folder = settings.warehouse.path.parent
    pins = [
        f"postgres.{each.dataset}.start_date"
        for each in settings.connection
        if each.start_date is None
    ]
    behind = [pin for pin in pins if (former / pin).is_file() and not (folder / pin).exists()]
    if not behind or folder == former:
        return
    message = (
        f"The pinned start date is still where version 0.1.0 kept it, in {former}. This version "
        f"looks for it in {folder}: without it, the oldest records would be left out. Nothing was "
        "changed. Stop Dagster, move it, then run again:\n"
        f"{_indented(_moves(former, folder, behind))}"
    )
    raise ConfigurationError(message)


def _moves(
    former: Path, folder: Path, patterns: Iterable[str], name: str = "", new_name: str = ""
) -> Iterator[str]:
    """Yields the shell commands that move the matching files, in the order of the patterns."""
    if not folder.exists():
        yield shlex.join(["mkdir", "-p", str(folder)])
    for pattern in patterns:
        for each in sorted(former.glob(pattern.format(_escaped(name)))):
            target = folder / (new_name + each.name.removeprefix(name))
            yield shlex.join(["mv", str(each), str(target)])


def _escaped(name: str) -> str:
    """Escapes a name for use in a glob pattern."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
