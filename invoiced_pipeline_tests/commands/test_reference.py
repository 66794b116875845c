"""docs/cli.md holds the help of every command."""

from invoiced_pipeline.commands.reference import DOCUMENT, render


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "run: make docs"
