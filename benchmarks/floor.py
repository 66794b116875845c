"""Measures DuckDB alone over the same pages, and the emulated API's time for one page.

`python -m benchmarks.floor URL API_KEY FOLDER TABLES` prints both as JSON. It is a lower bound: a
replication also fetches and merges the pages and keeps coverage.
"""

import base64
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import duckdb
import urllib3

from invoiced_pipeline.catalog import Table, table

_SIZE = 100
_WARM_UP = 10
_TIMED = 100
_TYPES = {
    "bigint": "BIGINT",
    "text": "VARCHAR",
    "decimal": "DECIMAL(38,10)",
    "timestamp": "BIGINT",  # epoch seconds in the API's JSON
    "boolean": "JSON",  # estimates.approved holds initials, too
    "json": "JSON",
}


class Lists:
    """Reads lists of the API by page number, one request after the other over one connection."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url
        token = base64.b64encode(f"{api_key}:".encode()).decode()
        self._pool = urllib3.PoolManager(headers={"Authorization": f"Basic {token}"})

    def get(self, path: str, **parameters: object) -> urllib3.BaseHTTPResponse:
        """Sends one request; ends the program with a message if the status is not 200."""
        answer = self._pool.request("GET", f"{self._url}{path}?{urlencode(parameters)}")
        if answer.status != 200:
            sys.exit(f"GET {path} answered {answer.status}: {answer.data[:300]!r}")
        return answer

    def pages(self, listed: Table) -> Iterator[bytes]:
        """Reads all pages of a table as raw bytes."""
        for variant in listed.variants:
            parameters = {**dict(listed.list_params), **dict(variant), "per_page": _SIZE}
            number, total = 0, 1
            while number * _SIZE < total:
                number += 1
                answer = self.get(listed.path, **parameters, page=number)
                total = int(answer.headers["X-Total-Count"])
                yield answer.data


def page_milliseconds(lists: Lists) -> float:
    """Measures the mean time of a page of 100 invoices: one client, no latency."""
    total = int(lists.get("/invoices", per_page=_SIZE).headers["X-Total-Count"])
    full = max(1, total // _SIZE)
    began = 0.0
    for number in range(_WARM_UP + _TIMED):
        if number == _WARM_UP:
            began = time.monotonic()
        page = number % full + 1
        lists.get("/invoices", per_page=_SIZE, page=page, sort="updated_at asc", updated_after=0)
    return (time.monotonic() - began) / _TIMED * 1000


def read_json_seconds(connection: duckdb.DuckDBPyConnection, listed: Table, files: str) -> float:
    """Measures how long DuckDB takes to create a table with our types from pages in files."""
    columns = {column.name: _TYPES[column.type] for column in listed.columns}
    began = time.monotonic()
    connection.execute(
        f'create table "{listed.name}" as '  # noqa: S608 - a name of our catalog
        "select * from read_json($files, format = 'array', columns = $columns)",
        {"files": files, "columns": columns},
    )
    return time.monotonic() - began


def main() -> None:
    """Fetches the pages into files, then lets DuckDB read them."""
    url, api_key, folder, *names = sys.argv[1:]
    lists = Lists(url, api_key)
    measured = {"page_milliseconds": page_milliseconds(lists), "rows": {}, "seconds": {}}
    with duckdb.connect(str(Path(folder) / "floor.duckdb")) as connection:
        for name in names:
            for number, body in enumerate(lists.pages(table(name))):
                (Path(folder) / f"{name}-{number:06}.json").write_bytes(body)
            files = str(Path(folder) / f"{name}-*.json")
            measured["seconds"][name] = read_json_seconds(connection, table(name), files)
            measured["rows"][name] = connection.table(name).count("*").fetchall()[0][0]
    sys.stdout.write(json.dumps(measured))


if __name__ == "__main__":
    main()
