"""Counts with their noun, in singular or plural."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Writes a count and its noun: `1 row`, `1,204 rows`, `2 entries`.

    Args:
        count: The number.
        noun: The singular; words that agree with it may follow, as in `record fits`.
        plural: The plural, if it is not the singular with an `s`, as in `records fit`.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
