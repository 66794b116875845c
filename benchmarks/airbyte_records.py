"""Counts the records in what an Airbyte source printed.

`python -m benchmarks.airbyte_records FILE` prints them as JSON, by stream.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path


def record_counts(messages: Iterable[bytes]) -> Counter[str]:
    """Counts record messages by stream; each line is one message of Airbyte's protocol."""
    counts: Counter[str] = Counter()
    for line in messages:
        message = json.loads(line)
        if message["type"] == "RECORD":
            counts[message["record"]["stream"]] += 1
    return counts


if __name__ == "__main__":
    with Path(sys.argv[1]).open("rb") as file:
        sys.stdout.write(json.dumps(record_counts(file)))
