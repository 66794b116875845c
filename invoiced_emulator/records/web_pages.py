"""Addresses of web pages about records; the pages do not exist."""

import hashlib

from invoiced_emulator.protocol.exact_json import encode

_SITE = "https://emulator.invoiced.invalid"


def page_address(collection: str, record_id: object) -> str:
    """Returns the address of a record's page: always the same, without its id."""
    digest = hashlib.sha256(encode([collection, record_id])).hexdigest()[:24]
    return f"{_SITE}/{collection}/{digest}"
