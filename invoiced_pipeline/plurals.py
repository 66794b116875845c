"""Counts with their noun, in the singular or the plural."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Writes a count and its noun: `1 row`, `1,204 rows`, `2 entries`.

    Args:
        count: How many.
        noun: In the singular; what follows may agree with it: `record fits`.
        plural: Where it is not the singular with an `s`: `records fit`.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
