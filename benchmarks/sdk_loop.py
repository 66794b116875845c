"""Creates customers from a CSV file in a loop over the official SDK.

`python -m benchmarks.sdk_loop URL KEY FILE` prints the seconds as JSON.
"""

import csv
import json
import sys
import time
from pathlib import Path

import invoiced


def main() -> None:
    """Creates them one after the other, as a short script would."""
    url, key, path = sys.argv[1:]
    invoiced.Client.ApiBase = url
    client = invoiced.Client(key)
    began, cpu = time.monotonic(), time.process_time()
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            client.Customer.create(name=row["name"], email=row["email"])
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds}))


if __name__ == "__main__":
    main()
