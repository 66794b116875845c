"""Fills a virtual environment from a lock file, as make does; one line says how far pip is."""

import re
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

_PIN = re.compile(r"^[A-Za-z0-9][^ ]*==", re.MULTILINE)
_COLLECTING = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([^ =<>!~;]+)")
_LAST_LINES = 25


def main(python: str, lock: str) -> int:
    """Installs what `lock` pins, then this project itself; returns pip's exit code."""
    started = time.monotonic()
    pins = len(_PIN.findall(Path(lock).read_text(encoding="utf-8")))
    # The file pins every package with its hash, so pip has nothing to resolve. Python compiles
    # what it imports; pip would compile every file, and few of them are imported.
    code = _install(python, pins, "--no-deps", "--no-compile", "--require-hashes", "-r", lock)
    code = code or _install(python, 0, "--no-deps", "--no-build-isolation", "-e", ".")
    if code == 0:
        _say(f"Installed in {time.monotonic() - started:.0f} s.", ends=True)
    return code


def _install(python: str, pins: int, *arguments: str) -> int:
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    pip = subprocess.Popen(  # noqa: S603 - pip, with arguments of the Makefile
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert pip.stdout is not None  # noqa: S101 - for the type checker
    last_lines: deque[str] = deque(maxlen=_LAST_LINES)
    seen = 0
    for line in pip.stdout:
        last_lines.append(line)
        if found := _COLLECTING.match(line):
            seen += 1
            _say(f"{min(seen, pins)} of {pins} packages: {found[1]}")
        elif line.startswith("Installing collected packages"):
            _say(f"Unpacking {line.count(',') + 1} packages ...", ends=True)
    code = pip.wait()
    if code:
        _say("pip could not install; its last lines:", ends=True)
        sys.stdout.writelines(last_lines)
    return code


def _say(text: str, *, ends: bool = False) -> None:
    """Writes over the line before on a terminal; elsewhere only what ends a step is written."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\033[K  {text}" + "\n" * ends)
    elif ends:
        sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
