"""Commands as a person sees them: on a terminal of a given width."""

import fcntl
import os
import pty
import re
import struct
import termios

from invoiced_pipeline_tests.front_door import DEADLINE, SECRETS, FrontDoor

_STYLE = re.compile(r"\x1b\[[\d;]*m|\x1b\[\?25[hl]")
_LINE_START = re.compile(r"(?:^|[\r\n]|\x1b\[2K)$")


def run_on_terminal(door: FrontDoor, *command: str, columns: int, status: int = 0) -> str:
    """Runs a command on a terminal; gives all that was written to it, without colours.

    Args:
        door: Where.
        command: Its name and arguments.
        columns: Width of the terminal.
        status: The exit code that it must have.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = door.start(*command, terminal=theirs, TERM="xterm-256color")
    os.close(theirs)
    written = b""
    try:
        while block := os.read(ours, 65536):
            written += block
    except OSError:  # Linux: the other end is closed
        pass
    finally:
        os.close(ours)
    said = _STYLE.sub("", written.decode())
    assert process.wait(DEADLINE) == status, said
    assert not any(secret in said for secret in SECRETS)
    return said


def starts_of(said: str, text: str) -> list[bool]:
    """Whether a line starts where a text was written, for each of its occurrences."""
    return [bool(_LINE_START.search(said[: found.start()])) for found in re.finditer(text, said)]
