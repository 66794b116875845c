# ruff: noqa: INP001 - a module of its own, found by PYTHONPATH
"""Settings of the Celery workers, which dagster-celery imports by this module's name.

The broker is CELERY_BROKER_URL, which Celery reads itself. Start a worker in the folder of
`invoiced.toml`, with this file's folder on PYTHONPATH:

    celery -A dagster_celery.app worker --queues dagster --concurrency 4
"""

import os

result_backend = os.environ["CELERY_BROKER_URL"]

# Events of a table's partitions go to Dagster's records together, not one by one.
os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "100")

# Imported before the worker forks: a run then starts in the time of a fork, in an interpreter that
# has its code. Restart the workers after a change of the settings or of the code.
include = ["warm_worker"]

# A fresh process for each run, so that nothing of one account, and no memory, is left to the next.
worker_max_tasks_per_child = 1

# A run is acknowledged when it starts and is never delivered again. If its worker dies, the next
# tick reads what is missing; a second delivery could begin while the first run is alive.
task_acks_late = False
task_reject_on_worker_lost = False

# A busy worker takes no run from the queue that an idle one could start. Redis would otherwise
# deliver a reserved run again only after the visibility timeout.
worker_prefetch_multiplier = 1
worker_disable_prefetch = True

# Once a result has expired, Dagster takes its run for lost. The default of a day is shorter than
# the first load of a large account; the number is seconds.
result_expires = 14 * 24 * 3600

broker_connection_retry_on_startup = True
worker_hijack_root_logger = False
worker_redirect_stdouts = False
