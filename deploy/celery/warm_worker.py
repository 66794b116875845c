# ruff: noqa: INP001 - a module of its own, found by PYTHONPATH
"""Builds what every run needs before the worker forks: the code, and the code location."""

import gc

import dagster_postgres  # noqa: F401 - otherwise each run imports it to open Dagster's records
import psycopg2  # noqa: F401 - likewise

import invoiced_pipeline.defs.sweep.run
import invoiced_pipeline.defs.sync.run
import invoiced_pipeline.defs.writeback.run  # noqa: F401 - they import dlt and the drivers
from invoiced_pipeline.definitions import defs

defs.get_repository_def()

# Garbage collection in a run would otherwise look through all of this, and copy its memory.
gc.collect()
gc.freeze()
