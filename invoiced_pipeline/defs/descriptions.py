"""Descriptions in the UI, made of several texts."""


def paragraphs(*texts: str | None) -> str:
    """Joins texts as Markdown paragraphs; empty ones are left out."""
    return "\n\n".join(filter(None, texts))
