"""`invoiced-pipeline webhook`: receives Invoiced's webhooks, and syncs the tables they name."""

import logging
from contextlib import ExitStack, closing
from typing import Annotated

import typer

from invoiced_pipeline.catalog.events import tables_concerned
from invoiced_pipeline.commands.webhook_receiver import Hook, WebhookReceiver
from invoiced_pipeline.commands.webhook_syncs import RequestedSyncs, sync_in_a_process
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import ConnectionSettings, Settings, load_settings


def webhook(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8086,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serves `POST /<dataset>` for every connection that has a secret."""
    settings = load_settings()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with ExitStack() as stack:
        hooks = _hooks(settings, stack)
        try:
            server = stack.enter_context(WebhookReceiver((host, port), hooks))
        except OSError as error:
            message = f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --port"
            raise ConfigurationError(message) from error
        for dataset in hooks:
            typer.echo(f"Listening on http://{host}:{server.server_port}/{dataset}")
        server.serve_forever()


def _hooks(settings: Settings, stack: ExitStack) -> dict[str, Hook]:
    hooks = {
        connection.dataset: hook
        for connection in settings.connection
        if (hook := _hook(settings, connection, stack))
    }
    if not hooks:
        names = ", ".join(each.webhook_secret_env for each in settings.connection)
        message = (
            f"No secret of a webhook: set {names} in the environment or in .env to the secret that "
            "Invoiced shows for the webhook. Without it nobody could tell who sends a request"
        )
        raise ConfigurationError(message)
    return hooks


def _hook(settings: Settings, connection: ConnectionSettings, stack: ExitStack) -> Hook | None:
    secret = settings.webhook_secret(connection)
    if secret is None:
        return None
    settings.api_key(connection)  # says at once if the syncs could not read
    selected = {table.name for table in tables_of(settings, connection)}
    syncs = RequestedSyncs(connection.name, sync_in_a_process)
    stack.enter_context(closing(syncs))

    def take(event_type: str) -> None:
        if tables := tables_concerned(event_type) & selected:
            syncs.request(tables)

    return Hook(secret, take)
