"""Results of queries on a terminal: amounts and names are whole at any width."""

import re
from decimal import Decimal

import pytest
from rich.console import Console

from invoiced_pipeline.amounts import amount_text
from invoiced_pipeline.commands.common import query_result
from invoiced_pipeline.warehouse.sample_queries import QueryResult
from invoiced_pipeline_tests.commands.screens import WIDTHS, new_screen, table_lines


@pytest.fixture(params=WIDTHS)
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Console:
    """The console of results, of a given width."""
    console = new_screen(request.param)
    monkeypatch.setattr(query_result, "console", console)
    return console


AGING = QueryResult(
    "Receivables aging",
    ("currency", "invoices", "not due", "1-30 days", "31-60", "61-90", "over 90"),
    [
        ("usd", 123_456, *[Decimal("5803525123.4500000000")] * 5),
        ("jpy", 2, Decimal("1234567890.0000000000"), None, None, None, Decimal(0)),
        ("kwd", 3, Decimal("1234.5675000000"), None, None, None, Decimal("1234567.125")),
    ],
)


def test_amounts_are_whole_at_any_width(screen: Console) -> None:
    query_result.show_result(AGING)
    text = "\n".join(table_lines(screen))
    assert text.count("5,803,525,123.45") == 5
    assert re.search(r"1,234,567,890\s", text)  # yen
    assert "1,234.568" in text
    assert "1,234,567.125" in text
    for heading in AGING.columns:
        assert heading in text


def test_names_are_whole_and_may_hold_anything(screen: Console) -> None:
    name = "Lindenhof [bold] Gardens and Company of the Northern Territories"
    rows = [(name, "usd", 7, Decimal("162113.25"))] * 2
    query_result.show_result(
        QueryResult("Largest", ("customer", "currency", "invoices", "open"), rows)
    )
    lines = table_lines(screen)
    assert all(any(word in line for line in lines) for word in name.split())
    assert sum("162,113.25" in line for line in lines) == 2


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234567.5", "jpy", "1,234,568"),
        ("0.125", "USD", "0.13"),
        ("0.1255", "kwd", "0.126"),
        ("-1234.5", "eur", "-1,234.50"),
        ("1.5", None, "1.50"),
        ("1.5", "unknown", "1.50"),
        (
            "9999999999999999999999999999.0123456789",
            "usd",
            "9,999,999,999,999,999,999,999,999,999.01",
        ),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(
    amount: str, currency: str | None, text: str
) -> None:
    assert amount_text(Decimal(amount), currency) == text
