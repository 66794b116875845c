"""Made-up names and addresses, of generic words, so that no real person or company is meant."""

from random import Random

from invoiced_emulator.seed.simulation.account import Record

_COLORS = (
    "Amber", "Azure", "Coral", "Crimson", "Ivory", "Jade", "Ochre", "Olive", "Pearl", "Sable",
    "Scarlet", "Sepia", "Teal", "Umber", "Violet",
)  # fmt: skip
_THINGS = (
    "Anchor", "Bridge", "Button", "Candle", "Compass", "Feather", "Hammer", "Kettle", "Ladder",
    "Lantern", "Pebble", "Ribbon", "Spoon", "Thimble", "Umbrella", "Window",
)  # fmt: skip
_TRADES = (
    "Bakery", "Carpentry", "Catering", "Cleaning", "Design", "Freight", "Gardens", "Lighting",
    "Logistics", "Masonry", "Optics", "Packaging", "Plumbing", "Printing", "Textiles", "Tools",
)  # fmt: skip
_FIRST_NAMES = (
    "Ada", "Anouk", "Bjørn", "Chloé", "Désirée", "Eero", "Fatima", "Göran", "Ines", "Jörg", "Kofi",
    "Łucja", "Mateo", "Niamh", "Ömer", "Priya", "Søren", "Tomás", "Yuki", "Zoë",
)  # fmt: skip
_LAST_NAMES = (
    "Ejemplo", "Esempio", "Exempelsson", "Exemple", "Mustermann", "Näytönen", "Placeholder",
    "Přikladová", "Przykład", "Sampleton", "Testerson", "Voorbeeld",
)  # fmt: skip

_PLACES: dict[str, tuple[tuple[str, str, str | None, str, str], ...]] = {
    "usd": (
        ("US", "Exampleville", "CA", "94599", "en"),
        ("US", "Sample Springs", "TX", "78799", "en"),
        ("US", "Port Placeholder", "NY", "10999", "en"),
        ("CA", "Mont-Exemple", "QC", "H0H 0H0", "fr"),
    ),
    "eur": (
        ("DE", "Musterstadt", None, "12345", "de"),
        ("FR", "Exempleville-sur-Mer", None, "00100", "fr"),
        ("FI", "Esimerkkilä", None, "00990", "fi"),
    ),
    "jpy": (("JP", "見本市", None, "100-0000", "ja"),),
    "kwd": (("KW", "مدينة المثال", None, "10000", "ar"),),
    "bhd": (("BH", "المثال", None, "199", "ar"),),
}

_SUFFIXES = {
    "usd": ("Inc.", "LLC", "& Co."),
    "eur": ("GmbH", "SARL", "Oy"),
    "jpy": ("株式会社",),
    "kwd": ("W.L.L.",),
    "bhd": ("W.L.L.",),
}

_STREETS = ("Example Street", "Sample Avenue", "Placeholder Lane", "Rue de l'Exemple", "Musterweg")


def company_name(random: Random, currency: str, count: int) -> str:
    """Returns e.g. `Amber Kettle Bakery 12 LLC`; the count makes the name unique."""
    words = (random.choice(_COLORS), random.choice(_THINGS), random.choice(_TRADES))
    return f"{' '.join(words)} {count} {random.choice(_SUFFIXES[currency])}"


def person_name(random: Random) -> str:
    """Returns e.g. `Zoë Mustermann`."""
    return f"{random.choice(_FIRST_NAMES)} {random.choice(_LAST_NAMES)}"


def initials(name: str) -> str:
    """Returns e.g. `ZM`."""
    return "".join(word[0] for word in name.split()).upper()


def email(random: Random, mailbox: str) -> str:
    """Returns an address in a domain reserved for examples."""
    return f"{mailbox}@example.{random.choice(('com', 'net', 'org'))}"


def phone(random: Random) -> str:
    """Returns a number from the range reserved for fiction."""
    return f"+1 (555) 555-01{random.randrange(100):02d}"


def address(random: Random, currency: str, attention_to: str | None) -> Record:
    """Returns the address fields that customers, contacts and documents share."""
    country, city, state, postal_code, _ = random.choice(_PLACES[currency])
    return {
        "attention_to": attention_to,
        "address1": f"{random.randrange(1, 400)} {random.choice(_STREETS)}",
        "address2": f"Suite {random.randrange(1, 90)}" if random.random() < 0.15 else None,
        "city": city,
        "state": state,
        "postal_code": postal_code,
        "country": country,
    }


def language_of(currency: str) -> str:
    """Returns the language of customers with a currency."""
    return _PLACES[currency][0][4]
