"""One table's part of a run: pages, rejects, declaration, counts and log lines."""
