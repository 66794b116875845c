"""The pool of a dataset's ops, by which Dagster's queue holds back runs without tags."""

from invoiced_pipeline.settings import ConnectionSettings


def dataset_pool(connection: ConnectionSettings) -> str:
    """Returns the pool of every op that takes the lock of a connection's dataset.

    A run that the UI starts with Materialize has no tags, but its ops have their pool. Without a
    limit in `dagster.yaml`, a pool limits nothing.
    """
    return f"invoiced_pipeline/{connection.dataset}"
