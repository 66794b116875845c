"""Documents that name a test for what they say: each of the tests is there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
FOLDERS = {"reliability.md": TESTS, "exactly-once.md": TESTS / "writeback"}
"""Where the names in a document begin."""

NAMED = sorted(
    {
        (folder / file, test)
        for document, folder in FOLDERS.items()
        for file, test in re.findall(
            r"`([\w/]+\.py)(?:::(test_\w+))?`", (DOCS / document).read_text(encoding="utf-8")
        )
    }
)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_what_the_document_names_is_there(file: Path, test: str) -> None:
    assert f"def {test or 'test_'}" in file.read_text(encoding="utf-8")
