"""`invoiced-pipeline emulator`: the only place that imports the emulator."""

import errno
import logging
from pathlib import Path
from typing import Annotated

import typer

from invoiced_pipeline.exceptions import ConfigurationError


def emulator(  # noqa: PLR0913, PLR0917 - one parameter per option
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8085,
    seed: Annotated[int, typer.Option(help="The same seed makes the same records.")] = 1,
    customers: Annotated[int, typer.Option(help="Customers to make up; 0 for none.")] = 300,
    database: Annotated[str, typer.Option(help="SQLite file.")] = ":memory:",
    load: Annotated[
        Path | None, typer.Option(help="Folder of JSON files with records to add.")
    ] = None,
    latency: Annotated[float, typer.Option(help="Milliseconds added to every response.")] = 0.0,
    rate_429: Annotated[float, typer.Option(help="Share of requests that fail with 429.")] = 0.0,
    rate_5xx: Annotated[float, typer.Option(help="Share of requests that fail with 5xx.")] = 0.0,
    drop_connection: Annotated[float, typer.Option(help="Share of connections dropped.")] = 0.0,
    truncate_body: Annotated[float, typer.Option(help="Share of bodies cut short.")] = 0.0,
    without_feature: Annotated[
        list[str] | None,
        typer.Option(help="Feature the account lacks: subscription_billing. Its lists return 400."),
    ] = None,
    forbid: Annotated[
        list[str] | None,
        typer.Option(help="List that the key may not see, such as payments: it returns 403."),
    ] = None,
) -> None:
    """Serve a local Invoiced with made-up records, until Ctrl-C."""
    from invoiced_emulator.http.fault_injection import Faults
    from invoiced_emulator.protocol.account import Account
    from invoiced_emulator.run import serve
    from invoiced_emulator.server import Emulator

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    faults = Faults(
        latency_ms=latency,
        rate429=rate_429,
        rate5xx=rate_5xx,
        drop_connection=drop_connection,
        truncate_body=truncate_body,
    )
    try:
        local = Emulator(
            port=port,
            database=database,
            faults=faults,
            features=Account().features - set(without_feature or ()),
            forbidden=set(forbid or ()),
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        message = f"Another program uses port {port}: stop it, or choose another port with --port"
        raise ConfigurationError(message) from error
    serve(local, seed=seed, customers=customers, load=load)
