"""JSON taken apart without recursion is what a parser makes of it, and depth stops nothing."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoiced_pipeline.invoiced.http.responses import error_details, error_for
from invoiced_pipeline.nesting import array_elements, decode, elements, shallow
from invoiced_pipeline.selection.privacy import Privacy
from invoiced_pipeline.writeback.recovery.proof import response_object

DEEP = b'{"a":' * 3000 + b"1" + b"}" * 3000
TEXTS = st.text() | st.sampled_from(['"]', "\\", '\\"[,', 'a\\"{', "}{", '"', "\\\\"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=25,
)


def cut(value: Any, levels: int) -> Any:
    if isinstance(value, dict):
        return {key: cut(each, levels - 1) for key, each in value.items()} if levels else None
    if isinstance(value, list):
        return [cut(each, levels - 1) for each in value] if levels else None
    return value


@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_elements_are_those_of_a_parser(
    values: list[Any], indent: int | None, ensure_ascii: bool
) -> None:
    body = json.dumps(values, indent=indent, ensure_ascii=ensure_ascii).encode(
        "utf-8", errors="surrogatepass"
    )
    assert [json.loads(element) for element in elements(body)] == values


@given(st.lists(VALUES, max_size=5), st.integers(1, 5))
def test_shallow_leaves_all_that_is_above(values: list[Any], levels: int) -> None:
    body = json.dumps(values).encode()
    assert json.loads(shallow(body, levels)) == cut(values, levels)


@pytest.mark.parametrize("levels", [1, 50, 100])
def test_what_is_not_deep_stays_as_it_is(levels: int) -> None:
    body = b"[" * levels + b'"a",  1.50' + b"]" * levels
    assert shallow(body) == body


def test_deep_json_is_decoded_as_far_as_it_goes() -> None:
    body = b'[{"id": 1, "metadata": %b}, {"id": 2}]' % DEEP
    found = decode(msgspec.json.Decoder(), body)
    assert [record["id"] for record in found] == [1, 2]
    assert array_elements(body) == [b'{"id": 1, "metadata": %b}' % DEEP, b'{"id": 2}']


@pytest.mark.parametrize("body", [b"{}", b"5", b'{"a":' + DEEP + b"}"])
def test_what_is_no_array_has_no_elements(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        array_elements(body)


def test_error_of_the_api_still_speaks() -> None:
    body = b'{"type": "invalid_request", "message": "Name is missing", "context": %b}' % DEEP
    assert error_details(body) == ("Name is missing", None)
    assert str(error_for(400, body, path="/customers", retry_after=None)) == str(
        error_for(400, b'{"message": "Name is missing"}', path="/customers", retry_after=None)
    )
    assert error_details(DEEP) == ("", None)


def test_answer_to_a_write_still_has_its_id() -> None:
    assert response_object(b'{"id": 7, "metadata": %b}' % DEEP)["id"] == 7


def test_hidden_values_are_hidden_in_a_deep_record_too() -> None:
    from pydantic import SecretStr

    from invoiced_pipeline.selection.privacy import privacy_of
    from invoiced_pipeline.settings import ConnectionSettings

    connection = ConnectionSettings.model_validate(
        {"tables": {"customers": {"hash": ["email"], "drop": ["name"]}}}
    )
    privacy: Privacy = privacy_of(connection, lambda _: SecretStr("salt"))
    inside = b'{"x": ' * 3000 + b'"ada@example.com"' + b"}" * 3000
    record = (
        b'{"id": 1, "name": "Ada Lovelace", "email": "ada@example.com", "notes": "of '
        b'ada@example.com", "metadata": %b}' % inside
    )
    for each in (record, record.decode()):
        kept = privacy.redact("customers", each)
        assert "ada@example.com" not in kept
        assert "Ada Lovelace" not in kept
        assert json.loads(kept)["id"] == 1
        assert "ada@" not in privacy.redact_text(
            "customers", each, "email: ada@example.com is no text"
        )
