"""All documents: links lead somewhere, named tests exist, and the index lists every page once."""

import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
DOCS = ROOT / "docs"
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for folder in (ROOT, DOCS, ROOT / "benchmarks", TESTS / "fixtures")
    for path in folder.glob("*.md")
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_NAMED_TEST = re.compile(r"`(?P<file>[\w/]*test_\w+\.py)?(?:::)?(?P<test>test_\w+)?`")


@cache
def text(path: Path) -> str:
    """A document without its code blocks."""
    return _FENCE.sub("", (ROOT / path).read_text(encoding="utf-8"))


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors that GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", text(path), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return frozenset(heading.replace(" ", "-") for heading in kept)


def links(path: Path) -> list[str]:
    found = _LINK.findall(text(path))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def problem(path: Path, link: str) -> str | None:
    """Why a relative link leads nowhere; None if it is right."""
    name, _, anchor = link.partition("#")
    target = (ROOT / path.parent / name).resolve() if name else ROOT / path
    if not target.exists():
        return f"{link}: no such file"
    if anchor and anchor not in anchors(target.relative_to(ROOT)):
        return f"{link}: no such heading"
    return None


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_links_lead_somewhere(path: Path) -> None:
    assert [problem(path, link) for link in links(path) if problem(path, link)] == []


@cache
def names_by_file() -> dict[str, frozenset[str]]:
    return {
        path.relative_to(TESTS).as_posix(): frozenset(
            re.findall(r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        )
        for path in sorted(TESTS.rglob("test_*.py"))
    }


def named_tests(path: Path) -> list[tuple[str, str]]:
    """File and test of every name; files may be named by the end of their path."""
    found = _NAMED_TEST.findall(text(path))
    return sorted({(file, test) for file, test in found if file or test})


def is_there(file: str, test: str) -> bool:
    return any(
        f"/{name}".endswith(f"/{file}" if file else "") and (not test or test in tests)
        for name, tests in names_by_file().items()
    )


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_named_tests_exist(path: Path) -> None:
    assert [named for named in named_tests(path) if not is_there(*named)] == []


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.parts[0] == "docs"], ids=str)
def test_headings_are_unique(path: Path) -> None:
    """A heading that occurs twice has two anchors, and may be the leftover of a merge."""
    headings = re.findall(r"^#+ .+$", text(path), re.MULTILINE)
    assert sorted(headings) == sorted(set(headings))


def test_index_lists_every_page_once() -> None:
    pages = sorted(path.name for path in DOCS.glob("*.md") if path.name != "README.md")
    listed = re.findall(
        r"^\| \[[^\]]+\]\(([\w-]+\.md)\)", text(Path("docs/README.md")), re.MULTILINE
    )
    assert sorted(listed) == pages


def test_broken_links_are_found() -> None:
    page = Path("docs/README.md")
    assert problem(page, "no-such-page.md") == "no-such-page.md: no such file"
    assert (
        problem(page, "faults.md#no-such-heading") == "faults.md#no-such-heading: no such heading"
    )
    assert problem(page, "faults.md#settings") is None
    assert not is_there("test_documents.py", "test_that_nobody_wrote")
