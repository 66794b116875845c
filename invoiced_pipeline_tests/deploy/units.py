"""Reads systemd units, as far as a test starts their commands."""

import shlex
from configparser import ConfigParser
from pathlib import Path

from invoiced_pipeline_tests.deploy.scratch_root import DEPLOY, under
from invoiced_pipeline_tests.processes import BINARIES, REPOSITORY

UNITS = DEPLOY / "server"


def service(name: str) -> dict[str, str]:
    """The section `[Service]` of a unit, with what is common to all units."""
    parser = ConfigParser(interpolation=None, delimiters=["="], comment_prefixes=["#"])
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read([UNITS / "invoiced-.service.d" / "common.conf", UNITS / name])
    return dict(parser["Service"])


def command(name: str, root: Path) -> list[str]:
    """The command line of a unit, with programs of this checkout and folders below `root`."""
    program, *arguments = shlex.split(service(name)["ExecStart"])
    program = program.replace("/opt/invoiced-pipeline/.venv/bin", str(BINARIES))
    program = program.replace("/opt/invoiced-pipeline", str(REPOSITORY))
    return [program, *(under(root, argument) for argument in arguments)]
