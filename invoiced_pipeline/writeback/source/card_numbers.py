"""Finds card numbers in text by issuer's prefix, length and check digit."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

_GROUP = re.compile(r"[0-9]+")
_FEWEST_DIGITS = 14
_LONGEST_SEPARATOR = 4
_LAYOUTS = frozenset(
    {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 3), (4, 4, 4, 2)}
)
"""How issuers group a card's digits. Other numbers may stand directly before and after."""
_OTHER_SIZES = (1, 2, 3, 5, 6)
"""Sizes of equal groups with one separator throughout. Finnish and Swiss references, among others,
are written this way too, so these groups count only when they stand alone."""
_FINNISH_SIZE = 5
_TOKEN_DIGITS = range(13, 20)
_RF_REFERENCE = re.compile(r"\bRF\d\d(?:[ -]?[A-Z0-9]){1,21}", re.IGNORECASE)
_TRACKING = re.compile(r"(?<!\d)9[1-5]\d\d(?: \d{4}){4}(?: \d\d)?(?!\d)")


def card_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each card number in a text."""
    if sum(map(str.isdecimal, text)) < _FEWEST_DIGITS and text.isascii():
        return
    for plain, places in views(text):
        numbers = list(_GROUP.finditer(plain))
        if sum(len(each[0]) for each in numbers) < _FEWEST_DIGITS:
            continue
        others = list(_other_numbers(plain))
        for start, end in _cards(plain, numbers):
            if not any(first <= start and end <= last for first, last in others):
                yield places[start], places[end - 1] + 1


def is_luhn_number(text: str) -> bool:
    """Whether a text is 13 to 19 digits with a valid check digit, whatever separates them.

    No issuer's prefix is needed: a token is never such a number.
    """
    digits = "".join(each for each in _normalised(text) if each.isalnum())
    return len(digits) in _TOKEN_DIGITS and digits.isdecimal() and _has_check_digit(digits)


def views(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """Yields the text with ASCII digits, and the position of each character in the original.

    Invisible characters are left out. If there are any, a second view has spaces in their place.
    """
    if text.isascii():
        yield text, range(len(text))
        return
    plain = _normalised(text)
    places = [place for place, each in enumerate(plain) if each]
    yield "".join(plain), places
    if len(places) < len(text):
        yield "".join(each or " " for each in plain), range(len(text))


def _normalised(text: str) -> list[str]:
    return [each if each.isascii() else _ascii_digit(each) for each in text]


def _ascii_digit(character: str) -> str:
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    is_invisible = unicodedata.category(character) in {"Cf", "Mn", "Me"}
    return "" if is_invisible else character


def _cards(text: str, numbers: Sequence[re.Match[str]]) -> Iterator[tuple[int, int]]:
    separators = [text[one.end() : other.start()] for one, other in pairwise(numbers)]
    first = 0
    while first < len(numbers):
        last = _last_of_card(text, numbers, separators, first)
        if last is None:
            first += 1
            continue
        yield numbers[first].start(), numbers[last].end()
        first = last + 1


def _last_of_card(
    text: str, numbers: Sequence[re.Match[str]], separators: Sequence[str], first: int
) -> int | None:
    """The last group of the card number that starts at group `first`; None if none starts there."""
    digits, sizes = "", []
    found = None
    for last in range(first, len(numbers)):
        if last > first and not _separates(separators[last - 1]):
            break
        digits += numbers[last][0]
        sizes.append(len(numbers[last][0]))
        if len(digits) > _TOKEN_DIGITS[-1]:
            break
        if not is_card(digits):
            continue
        if first == last:
            is_written = not _is_fraction(text, numbers[first].start())
        else:
            is_written = tuple(sizes) in _LAYOUTS or _stands_alone(numbers, separators, first, last)
        found = last if is_written else found
    return found


def _separates(separator: str) -> bool:
    return len(separator) <= _LONGEST_SEPARATOR and not any(map(str.isalnum, separator))


def _is_fraction(text: str, start: int) -> bool:
    """Whether the digits are the decimals of a number, such as 0.4242424242424242."""
    return start > 1 and text[start - 1] in ".," and text[start - 2].isdigit()


def _stands_alone(
    numbers: Sequence[re.Match[str]], separators: Sequence[str], first: int, last: int
) -> bool:
    """Whether groups of one size are not part of a longer row of such groups."""
    sizes = [len(each[0]) for each in numbers[first : last + 1]]
    size = sizes[0]
    inside = set(separators[first:last])
    if size not in _OTHER_SIZES or len(inside) > 1 or sizes[-1] > size:
        return False
    if any(each != size for each in sizes[:-1]):
        return False
    if first and separators[first - 1] in inside:
        # Finnish references are grouped from the right: their first group may be shorter.
        before = len(numbers[first - 1][0])
        if before == size or (before < size == sizes[-1] == _FINNISH_SIZE):
            return False
    follows = last < len(separators) and separators[last] in inside
    return not (follows and len(numbers[last + 1][0]) == size)


def is_card(digits: str) -> bool:
    """Whether digits have an issuer's prefix, a length that fits it, and a valid check digit."""
    return _is_issued(digits) and _has_check_digit(digits)


def _is_issued(digits: str) -> bool:
    """ISO/IEC 7812 prefixes of Visa, Mastercard, American Express, Discover, JCB and Diners."""
    length = len(digits)
    if digits[0] == "4":
        return length in {16, 19}
    three, four, six = int(digits[:3]), int(digits[:4]), int(digits[:6])
    if length == 16:
        return (
            510 <= three <= 559
            or 2221 <= four <= 2720
            or four == 6011
            or 644 <= three <= 659
            or 622126 <= six <= 622925
            or 3528 <= four <= 3589
            # Diners numbers have 14 digits, or 16 if they are issued in Discover's network.
            or 300 <= three <= 305
        )
    if length == 15:
        return digits[:2] in {"34", "37"}
    return length == 14 and (300 <= three <= 305 or digits[:2] in {"36", "38", "39"})


def _has_check_digit(digits: str) -> bool:
    """Whether the Luhn check digit is valid (ISO/IEC 7812-1). One repeated digit is not a card."""
    if len(set(digits)) == 1:
        return False
    numbers = [int(digit) for digit in reversed(digits)]
    doubled = (sum(divmod(2 * number, 10)) for number in numbers[1::2])
    return (sum(numbers[::2]) + sum(doubled)) % 10 == 0


def _other_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yields the spans of longer numbers in groups of four with valid check digits of their own."""
    if "RF" in text or "rf" in text:
        for found in _RF_REFERENCE.finditer(text):
            if end := _rf_end(found[0]):
                yield found.start(), found.start() + end
    for found in _TRACKING.finditer(text):
        # USPS publication 199: the check digit weighs 3, 1, 3, ... from the right.
        numbers = [int(digit) for digit in reversed(found[0]) if digit != " "]
        if (sum(numbers[::2]) + 3 * sum(numbers[1::2])) % 10 == 0:
            yield found.span()


def _rf_end(text: str) -> int | None:
    """The end of the creditor reference (ISO 11649) at the start of a text, or None."""
    places = [place for place, each in enumerate(text) if each.isalnum()]
    for count in range(len(places), 4, -1):
        plain = "".join(text[place] for place in places[:count])
        if plain.isascii():
            moved = plain[4:] + plain[:4]
            if int("".join(str(int(each, 36)) for each in moved)) % 97 == 1:
                return places[count - 1] + 1
    return None
