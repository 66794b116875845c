"""Loads records from a directory of JSON files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from invoiced_emulator.protocol.exact_json import decode
from invoiced_emulator.records.kinds import COLLECTION_OF, KINDS
from invoiced_emulator.records.store import Store

_WHOLE_OBJECT = ".object.json"


@dataclass(slots=True)
class Loaded:
    """The result of loading a directory."""

    counts: dict[str, int] = field(default_factory=dict)
    """Records loaded, by collection."""
    skipped: list[str] = field(default_factory=list)
    """Files and records that were not loaded, with the reason."""


def load_directory(store: Store, path: Path) -> Loaded:
    """Stores the records of all JSON files in a directory, as they are.

    A file holds a record or an array of records. When files hold the same record, the last file in
    name order wins, and `*.object.json` wins over other files.

    Args:
        store: Receives the records.
        path: The directory; its subdirectories are not read.
    """
    loaded = Loaded()
    records: dict[tuple[str, str], dict[str, Any]] = {}
    files = sorted(path.glob("*.json"), key=lambda file: file.name)
    for file in sorted(files, key=lambda file: file.name.endswith(_WHOLE_OBJECT)):
        for record in _records(file, loaded):
            collection = _collection(file, record)
            if collection is None:
                kind = record.get("object") or file.name.split(".", maxsplit=1)[0]
                loaded.skipped.append(f"{file.name}: unknown kind of record: {kind}")
            elif "id" not in record:
                loaded.skipped.append(f"{file.name}: record without an id")
            else:
                records[collection, str(record["id"])] = record
    with store.transaction():
        for (collection, _), record in records.items():
            store.put(collection, record)
            loaded.counts[collection] = loaded.counts.get(collection, 0) + 1
    return loaded


def _records(file: Path, loaded: Loaded) -> Iterator[dict[str, Any]]:
    try:
        content = decode(file.read_bytes())
    except msgspec.DecodeError as err:
        loaded.skipped.append(f"{file.name}: not JSON ({err})")
        return
    for record in content if isinstance(content, list) else [content]:
        if isinstance(record, dict):
            yield record
        else:
            loaded.skipped.append(f"{file.name}: not a record but a {type(record).__name__}")


def _collection(file: Path, record: dict[str, Any]) -> str | None:
    if isinstance(record.get("object"), str):
        return COLLECTION_OF.get(record["object"])
    first = file.name.split(".", maxsplit=1)[0]
    return first if first in KINDS else None
