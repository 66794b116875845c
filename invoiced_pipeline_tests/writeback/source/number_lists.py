"""Generated texts with card numbers and with other numbers, and how many of them are refused.

`python -m invoiced_pipeline_tests.writeback.source.number_lists` prints the table of
docs/card-numbers.md.
"""

import random
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping

from invoiced_pipeline.writeback.source.payment_data import looks_like_payment_data

SEED = 20261020
TEST_CARDS = (
    "4242424242424242", "4111111111111111", "4012888888881881", "4000056655665556",
    "4000002500003155", "5555555555554444", "5105105105105100", "5200828282828210",
    "2223003122003222", "2720992593319364", "378282246310005", "371449635398431",
    "6011111111111117", "6011981111111113", "6011000990139424", "3056930009020004",
    "30569309025904", "38520000023237", "36227206271667", "3566002020360505", "3530111333300000",
    "4000000000000000006",
)  # fmt: skip
SEPARATORS = (
    "", " ", "  ", "\u00a0", "\u2009", "\u202f", "\u3000", "\u200b", "\u2060", "\ufeff", "\u00ad",
    "\t", "\n", "\r\n", "/", "\\", ".", "_", "-", "\u2010", "\u2011", "\u2013", "\u2014", "\u2212",
    ",", ", ", " - ", " / ", "|", ":", ";", "*", "\u00b7", "\u2022", "-\u200b",
)  # fmt: skip
EMBEDDINGS = (
    "{}", "paid with {}, thanks", "card:{}", "Visa{}", "no. 7\n\n{}\n\nexpires 12/26", "({})",
    "invoice 2026/11, card {} exp. 1226", "a {} b 99 44 1",
)  # fmt: skip
AMONG_NUMBERS = ("order 12 {}", "2026-10-20 {} 12/26 123", "1234 {} 1226", "no. 7\n{}\n1226")
"""Texts in which other numbers stand next to a card's groups, perhaps with the same separator."""

Make = Callable[[random.Random], str]


def check_digit(digits: str) -> str:
    """The digits followed by their Luhn check digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if place % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return digits + str(-total % 10)


def groupings(digits: str) -> Iterator[tuple[str, ...]]:
    """The ways to write a card's digits: as issuers print them, or in groups of one size."""
    layouts = [(4, 6, 5)] if len(digits) == 15 else [(4, 6, 4)] if len(digits) == 14 else []
    layouts += [(size,) * (len(digits) // size + 1) for size in (1, 2, 3, 4, 5, 6)]
    for layout in layouts:
        parts, at = [], 0
        for size in layout:
            parts.append(digits[at : at + size])
            at += size
        yield tuple(filter(None, parts))


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _phone(rng: random.Random) -> str:
    number = _digits(rng, 10)
    forms = (
        f"+1 ({number[:3]}) {number[3:6]}-{number[6:]}",
        f"+{rng.randint(1, 998)} {number[: rng.randint(1, 4)]} {_digits(rng, rng.randint(4, 8))}",
        f"+33 {number[0]} {number[1:3]} {number[3:5]} {number[5:7]} {number[7:9]}",
        f"+49 {number[:4]} {_digits(rng, rng.randint(5, 8))}",
        f"+44 {number[:4]} {number[4:]}",
        f"00{rng.randint(10, 99)}{_digits(rng, rng.randint(8, 10))}",
        f"{number[:3]}.{number[3:6]}.{number[6:]} ext. {_digits(rng, rng.randint(2, 5))}",
        f"+{rng.randint(1, 998)}{_digits(rng, rng.randint(7, 11))}",
    )
    return rng.choice(forms)


def _two_phones(rng: random.Random) -> str:
    between = rng.choice((" ", ", ", " / ", "; ", "\n", " or "))
    return f"Tel. {_phone(rng)}{between}{_phone(rng)}"


def _imei(rng: random.Random) -> str:
    digits = check_digit(rng.choice(("35", "01", "86")) + _digits(rng, 12))
    written = f"{digits[:2]}-{digits[2:8]}-{digits[8:14]}-{digits[14]}"
    return f"IMEI {rng.choice((digits, written, written.replace('-', ' ')))}"


def _rf(rng: random.Random) -> str:
    number = _digits(rng, rng.randint(5, 21))
    check = 98 - int(number + "271500") % 97
    compact = f"RF{check:02d}{number}"
    fours = " ".join(compact[at : at + 4] for at in range(0, len(compact), 4))
    return rng.choice((compact, fours))


def _swiss(rng: random.Random) -> str:
    digits = _digits(rng, 26)
    table, carry = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5), 0
    for digit in digits:
        carry = table[(carry + int(digit)) % 10]
    digits += str(-carry % 10)
    fives = " ".join([digits[:2], *(digits[at : at + 5] for at in range(2, 27, 5))])
    return rng.choice((digits, fives))


def _finnish(rng: random.Random) -> str:
    number = _digits(rng, rng.randint(3, 19))
    total = sum(int(each) * (7, 3, 1)[at % 3] for at, each in enumerate(reversed(number)))
    number += str(-total % 10)
    head = len(number) % 5
    fives = [number[:head], *(number[at : at + 5] for at in range(head, len(number), 5))]
    return " ".join(filter(None, fives))


def _belgian(rng: random.Random) -> str:
    number = _digits(rng, 10)
    number += f"{int(number) % 97 or 97:02d}"
    return f"+++{number[:3]}/{number[3:7]}/{number[7:]}+++"


def _luhn_reference(rng: random.Random) -> str:
    """Swedish OCR and Norwegian KID numbers, of lengths that no card has."""
    return check_digit(_digits(rng, rng.choice([*range(4, 13), 16, 17, *range(19, 25)])))


def _dates(rng: random.Random) -> str:
    def day() -> tuple[int, int, int]:
        return rng.randint(1990, 2040), rng.randint(1, 12), rng.randint(1, 28)

    (y, m, d), (y2, m2, d2) = day(), day()
    return rng.choice(
        (
            f"{y}-{m:02d}-{d:02d} to {y2}-{m2:02d}-{d2:02d}",
            f"{y}-{m:02d}-{d:02d} {y2}-{m2:02d}-{d2:02d}",
            f"{y}{m:02d}{d:02d}-{y2}{m2:02d}{d2:02d}",
            f"{y}{m:02d}{d:02d}{y2}{m2:02d}{d2:02d}",
            f"{d:02d}.{m:02d}.{y} - {d2:02d}.{m2:02d}.{y2}",
            f"{m:02d}/{d:02d}/{y} {rng.randint(0, 23):02d}:{rng.randint(0, 59):02d} {y2}",
            f"{y}-{m:02d}-{d:02d}T10:04:{d:02d}.{_digits(rng, 6)}Z",
            f"{y}{m:02d}{d:02d}{rng.randint(0, 23):02d}{rng.randint(0, 59):02d}{d2:02d}",
        )
    )


def _amount(rng: random.Random) -> str:
    value = rng.uniform(0, 10 ** rng.randint(1, 9))
    return rng.choice((repr(value), f"EUR {value:,.2f}", f"{value:,.2f} + {value / 7!r}"))


def _tracking(rng: random.Random) -> str:
    usps = rng.choice(("94", "92", "93")) + _digits(rng, 19)
    total = sum(int(each) * (3 if at % 2 == 0 else 1) for at, each in enumerate(reversed(usps)))
    usps += str(-total % 10)
    fours = " ".join(usps[at : at + 4] for at in range(0, 22, 4))
    ups = "1Z" + "".join(rng.choices("0123456789ABCDEFGHJKLMNPRSTUVWXY", k=16))
    return rng.choice((usps, fours, ups, f"RR{_digits(rng, 9)}DE", _digits(rng, 12)))


def _ean(rng: random.Random) -> str:
    digits = _digits(rng, rng.choice((7, 11, 12)))
    total = sum(int(each) * (3 if at % 2 == 0 else 1) for at, each in enumerate(reversed(digits)))
    return f"EAN {digits}{-total % 10}"


def _reference_16(rng: random.Random) -> str:
    return _digits(rng, 16)


_LENGTHS = {"DE": 18, "AT": 16, "CH": 17, "NL": None, "ES": 20, "BE": 12, "DK": 14, "FI": 14,
            "NO": 11, "PL": 24, "SE": 20, "PT": 21, "GB": None}  # fmt: skip


def _iban(rng: random.Random) -> str:
    country = rng.choice(list(_LENGTHS))
    count = _LENGTHS[country]
    letters = "".join(rng.choices("ABCDEFGHKLMNPRSTUVWXYZ", k=4))
    bban = (
        letters + _digits(rng, 10 if country == "NL" else 14)
        if count is None
        else _digits(rng, count)
    )
    moved = f"{bban}{country}00"
    check = 98 - int("".join(str(int(each, 36)) for each in moved)) % 97
    compact = f"{country}{check:02d}{bban}"
    separator = rng.choice(("", " ", "-", "\u00a0", "\u2009", "\u200b", "\t", "\n", ".", "/", "_"))
    return f"IBAN {separator.join(compact[at : at + 4] for at in range(0, len(compact), 4))}."


def _card(rng: random.Random) -> str:
    digits = rng.choice(TEST_CARDS)
    parts = rng.choice(list(groupings(digits)))
    is_usual = len(parts[0]) == 4 or len(parts) == 1
    texts = (*EMBEDDINGS, *AMONG_NUMBERS) if is_usual else EMBEDDINGS
    return rng.choice(texts).format(rng.choice(SEPARATORS).join(parts))


NO_CARDS: Mapping[str, Make] = {
    "phone numbers": _phone,
    "texts with two phone numbers": _two_phones,
    "IMEIs": _imei,
    "payment references: RF (ISO 11649)": _rf,
    "payment references: Swiss QR, 27 digits": _swiss,
    "payment references: Finnish, 4 to 20 digits": _finnish,
    "payment references: Belgian": _belgian,
    "payment references: OCR and KID, of lengths that no card has": _luhn_reference,
    "texts with two dates, or a date and a time": _dates,
    "amounts": _amount,
    "UUIDs": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "hex hashes, 64 characters": lambda rng: f"{rng.getrandbits(256):064x}",
    "tracking numbers (USPS, UPS, S10)": _tracking,
    "EAN and UPC, 8 to 13 digits": _ean,
}
"""Texts that must be let through."""

UNTELLABLE: Mapping[str, Make] = {
    "references of 16 random digits": _reference_16,
    "references of 16 digits with a check digit (OCR, KID)": lambda rng: check_digit(
        _digits(rng, 15)
    ),
    "references of 14 random digits (GTIN-14 too)": lambda rng: _digits(rng, 14),
    "references of 15 random digits": lambda rng: _digits(rng, 15),
    "references of 19 random digits": lambda rng: _digits(rng, 19),
}
"""References of a card's length: with an issuer's prefix and a valid check digit, they look exactly
like cards."""

NUMBERS: Mapping[str, Make] = {"test card numbers": _card, "IBANs": _iban}
"""Texts that must be refused."""


def refused(make: Make, count: int) -> list[str]:
    """Generates texts and returns those that are refused."""
    rng = random.Random(SEED)  # noqa: S311
    return [text for text in (make(rng) for _ in range(count)) if looks_like_payment_data(text)]


def table(count: int) -> str:
    """The figures of each kind as a Markdown table."""
    lines = ["| texts | refused | of |", "|---|---|---|"]
    for name, make in {**NO_CARDS, **UNTELLABLE, **NUMBERS}.items():
        found = len(refused(make, count))
        lines.append(f"| {name} | {found:,} ({found / count:.2%}) | {count:,} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{table(20_000)}\n")
