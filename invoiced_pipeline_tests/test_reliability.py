"""`docs/reliability.md` names a test for what it says: each of them is there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCUMENT = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)(?:::(test_\w+))?`", DOCUMENT)))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_what_the_document_names_is_there(file: str, test: str) -> None:
    source = (TESTS / file).read_text(encoding="utf-8")
    assert f"def {test or 'test_'}" in source
