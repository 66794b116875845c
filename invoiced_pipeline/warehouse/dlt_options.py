"""dlt's options in this process, for every warehouse."""

import logging

import dlt


def set_dlt_options() -> None:
    """Sets the options of dlt that differ from its defaults."""
    dlt.config["runtime.dlthub_telemetry"] = False
    dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
    # Otherwise copies of the last load stay: twice the disk space, and unprotected records.
    dlt.config["load.delete_completed_jobs"] = True
    dlt.config["load.truncate_staging_dataset"] = True
    # dlt warns at every batch that Arrow types and declared types both exist, which is on purpose.
    # It also logs a traceback for every try of a failing load, which we raise as one error.
    logging.getLogger("dlt").setLevel(logging.CRITICAL)
