"""`docs/settings.md` is what the models say, and its examples are accepted."""

import re
import tomllib
from itertools import groupby
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from invoiced_pipeline.settings import load_settings
from invoiced_pipeline.settings.environment import VARIABLES
from invoiced_pipeline.settings.reference import DOCUMENT, render, settings_of, tables, toml

ROOT = DOCUMENT.parents[1]
TABLES = list(tables())
SETTINGS = [
    (header, name, field) for header, _, model in TABLES for name, field in settings_of(model)
]


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "run: make docs"


@pytest.mark.parametrize(
    ("header", "name", "field"), SETTINGS, ids=[f"{each[0]} {each[1]}" for each in SETTINGS]
)
def test_every_setting_is_listed_with_default_and_example(
    header: str, name: str, field: FieldInfo
) -> None:
    (line,) = [line for line in _section(header) if line.startswith(f"| `{name}` | ")]
    assert field.description
    assert field.examples, f"{name}: Field(examples=[...]) is missing"
    assert f"`{name} = {toml(field.examples[0])}`".replace("|", "\\|") in line


def test_every_variable_is_listed() -> None:
    for variable in VARIABLES:
        assert f"| `{variable}` |" in DOCUMENT.read_text(encoding="utf-8")


def test_all_examples_together_are_a_valid_file(tmp_path: Path) -> None:
    lines = []
    for header, settings in groupby(SETTINGS, key=lambda each: each[0]):
        lines.append(header.replace("<table>", "invoices"))
        # Columns, and tables, are named by one of include and exclude.
        shown = [
            (name, field.examples)
            for _, name, field in settings
            if field.examples
            and not (name == "exclude" and ".tables" in header)
            # A table follows with the fields of credentials; api_url contradicts sandbox.
            and name not in {"credentials", "sandbox"}
        ]
        lines += [f"{name} = {toml(examples[0])}" for name, examples in shown]
    text = "\n".join(lines).replace('"create_invoice"', '"custom"')  # which path belongs to
    (tmp_path / "invoiced.toml").write_text(text, encoding="utf-8")
    settings = load_settings({}, tmp_path)
    assert tomllib.loads(text)["connection"][0]["name"] == settings.first.name == "Acme Europe"


@pytest.mark.parametrize(
    ("path", "number", "text"),
    [
        (path, number, text)
        for path in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
        for number, text in enumerate(re.findall(r"```toml\n(.*?)```", path.read_text(), re.DOTALL))
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_examples_of_the_documents_are_valid_files(
    path: Path, number: int, text: str, tmp_path: Path
) -> None:
    (tmp_path / "invoiced.toml").write_text(text, encoding="utf-8")
    assert load_settings({}, tmp_path).connection, f"{path.name}, example {number + 1}"


def _section(header: str) -> list[str]:
    title = f"## `{header}`" if header else "## At the top of the file"
    text = DOCUMENT.read_text(encoding="utf-8")
    return text.split(f"{title}\n", 1)[1].split("\n## ", 1)[0].splitlines()
