"""U+0000, which PostgreSQL cannot store."""

import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from invoiced_pipeline.warehouse.postgres.nul_character import (
    storable,
    without_escaped_nul,
    without_nul,
)

TEXTS = st.text(alphabet=st.sampled_from("a\\u0\x00\"'\n€"), max_size=12)


@given(TEXTS)
def test_every_other_character_stays(text: str) -> None:
    found = without_nul(text)
    assert "\x00" not in found
    assert found == "".join("\ufffd" if sign == "\x00" else sign for sign in text)


@given(st.recursive(TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_documents_mean_the_same_but_for_it(document: object) -> None:
    for written in (json.dumps(document), json.dumps(document, ensure_ascii=False)):
        found = json.loads(without_escaped_nul(written))
        assert json.dumps(found, sort_keys=True).count("\\u0000") == 0 or "\\\\u0000" in written
        if "\\u0000" not in written:
            assert without_escaped_nul(written) == written


def test_an_escaped_backslash_is_no_escape_of_what_follows() -> None:
    for written, kept in (
        (r'"\u0000"', r'"\ufffd"'),
        (r'"\\u0000"', r'"\\u0000"'),
        (r'"\\\u0000"', r'"\\\ufffd"'),
        (r'"\u0000\u0000"', r'"\ufffd\ufffd"'),
    ):
        assert without_escaped_nul(written) == kept


def test_a_batch_without_it_is_left_alone() -> None:
    texts = ["a", None, r"\u0000", ""]
    batch = pa.record_batch({"text": texts, "json": ["{}"] * 4, "number": [1, 2, 3, 4]})
    assert storable(batch, {"json"}).equals(batch)
    odd = pa.record_batch({"text": ["a\x00b", None], "json": [r'"\u0000"', None]})
    found = storable(odd, {"json"})
    assert found.to_pydict() == {"text": ["a\ufffdb", None], "json": [r'"\ufffd"', None]}
    assert found.schema == odd.schema
