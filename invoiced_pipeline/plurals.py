"""Formats counts with a noun in the singular or plural."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Formats a count with its noun: `1 row`, `1,204 rows`, `2 entries`.

    Args:
        count: The number.
        noun: The singular, which may include a verb: `record fits`.
        plural: The plural, if it is not the singular plus `s`: `records fit`.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
