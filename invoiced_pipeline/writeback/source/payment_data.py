"""Finds numbers of cards and bank accounts, which must never be sent or stored."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from invoiced_pipeline.writeback.source.card_numbers import card_spans, is_luhn_number, views

HIDDEN = "(hidden)"

_DIGIT = re.compile(r"\d")
_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d{2}(?:[\W_]{0,3}[A-Z0-9]){11,30}", re.IGNORECASE)
_IBAN_COUNTRIES: Mapping[int, str] = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "PT ST", 26: "IS TR", 27: "FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC",
    32: "LC",
}  # fmt: skip
_IBAN_LENGTHS = {
    country: length for length, codes in _IBAN_COUNTRIES.items() for country in codes.split()
}
_ACCOUNT_WORDS = (
    r"(?:bank account|bank acct|account (?:no|number|num|#)|acct\.? ?(?:no|number|num|#)|"
    r"routing(?: (?:no|number|num|#))?|sort code|\baba\b)"
)
_ACCOUNT_IN_TEXT = re.compile(_ACCOUNT_WORDS + r"\D{0,12}(\d[\d \-]{4,24}\d)", re.IGNORECASE)
_ACCOUNT_NAME = re.compile(
    r"(?:^|_)(?:iban|(?:bank_?)?acc(?:oun)?t_?(?:no|num|number)|routing_?(?:no|num|number)|"
    r"sort_?code|card_?(?:no|num|number)|pan|cvc|cvv)(?:_|$)"
)


def find_payment_data(value: Any, name: str = "") -> str | None:
    """Finds the first value that looks like the number of a card or a bank account.

    Args:
        value: A body or a part of one; keys of objects are searched, too.
        name: The value's name, such as `notes`.

    Returns:
        The place, such as `metadata.reference`, never the value; None if there is none.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            if looks_like_payment_data(str(key)):
                return f"{name}.{HIDDEN}" if name else HIDDEN
            place = f"{name}.{key}" if name else str(key)
            if found := find_payment_data(item, place):
                return found
        return None
    if isinstance(value, list | tuple):
        found = (find_payment_data(item, f"{name}[{n}]") for n, item in enumerate(value))
        return next(filter(None, found), None)
    text = _text(value)
    if text is None:
        return None
    leaf = name.rpartition(".")[2].lower()
    is_named = bool(_ACCOUNT_NAME.search(leaf)) and any(map(str.isdigit, text))
    return name if is_named or looks_like_payment_data(text) else None


def looks_like_payment_data(text: str) -> bool:
    """Whether a text holds what looks like the number of a card or a bank account."""
    return next(_spans(text), None) is not None


def is_card_number(text: str) -> bool:
    """Whether a whole text is a card number, in a field for tokens for example."""
    return is_luhn_number(text)


def without_payment_data(text: str) -> str:
    """Replaces such numbers in a text, for messages that may repeat a value."""
    hidden, written_to = "", 0
    for start, end in sorted(_spans(text)):
        if end > written_to:
            hidden += (text[written_to:start] + HIDDEN) if start >= written_to else ""
            written_to = end
    return hidden + text[written_to:]


def hide_payment_data(value: Any) -> Any:
    """Returns a copy of a body with every such value and key replaced."""
    if isinstance(value, Mapping):
        return {
            (HIDDEN if looks_like_payment_data(str(key)) else key): (
                HIDDEN if find_payment_data(item, str(key)) == str(key) else hide_payment_data(item)
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [hide_payment_data(item) for item in value]
    text = _text(value)
    return HIDDEN if text is not None and looks_like_payment_data(text) else value


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, Decimal | float):
        return format(Decimal(str(value)), "f").removesuffix(".0")
    return str(value)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of such numbers; spans of different kinds may overlap."""
    if text.isascii() and not _DIGIT.search(text):
        return
    yield from card_spans(text)
    for found in _ACCOUNT_IN_TEXT.finditer(text):
        yield found.start(1), found.end(1)
    for plain, places in views(text):
        for found in _IBAN.finditer(plain):
            if length := _iban_length(found[0]):
                yield places[found.start()], places[found.start() + length - 1] + 1


def _iban_length(text: str) -> int | None:
    """The length of the IBAN (ISO 13616) that the text begins with; None if there is none."""
    length = _IBAN_LENGTHS.get(text[:2].upper())
    places = [place for place, character in enumerate(text) if character.isalnum()]
    if length is None or len(places) < length:
        return None
    plain = "".join(text[place] for place in places[:length]).upper()
    moved = plain[4:] + plain[:4]
    if not plain.isascii() or int("".join(str(int(each, 36)) for each in moved)) % 97 != 1:
        return None
    return places[length - 1] + 1
