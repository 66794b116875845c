"""A pipeline as one writes it from the API reference alone: the tests show what it gets wrong."""

from typing import Any

import httpx

from invoiced_emulator.server import Emulator

Record = dict[str, Any]


class Naive:
    """Pages by number through `sort=updated_at asc`, from the newest `updated_at` seen on.

    Attributes:
        records: What it has, by id.
    """

    def __init__(self, emulator: Emulator, path: str, **params: str) -> None:
        self.records: dict[Any, Record] = {}
        self._client = httpx.Client(base_url=emulator.url, auth=(emulator.api_key, ""))
        self._path = path
        self._params = {"sort": "updated_at asc", "per_page": "3"} | params
        self._bookmark = 0

    def read(self) -> None:
        """Reads what changed since the last time, as long as there is a next page."""
        params = self._params | {"updated_after": str(self._bookmark)}
        page = 1
        while True:
            answer = self._client.get(self._path, params=params | {"page": str(page)})
            for record in answer.json():
                self.records[record["id"]] = record
                self._bookmark = max(self._bookmark, record["updated_at"])
            if "next" not in answer.links:
                return
            page += 1

    def column(self, name: str) -> dict[Any, Any]:
        """One field of all records, by id."""
        return {key: record[name] for key, record in self.records.items()}

    def events(self) -> list[Record]:
        """The newest events."""
        return self._client.get("/events").json()
