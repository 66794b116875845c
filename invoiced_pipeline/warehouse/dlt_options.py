"""How dlt is set up in this process, whatever it loads into."""

import logging

import dlt


def set_dlt_options() -> None:
    """Sets what this project wants of dlt otherwise than by default."""
    dlt.config["runtime.dlthub_telemetry"] = False
    dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
    # Copies of the last load would stay behind: twice the disk, and records nobody looks after.
    dlt.config["load.delete_completed_jobs"] = True
    dlt.config["load.truncate_staging_dataset"] = True
    # Arrow's own types stand beside the declared ones on purpose; dlt warns at every batch. And
    # it writes a traceback for every try of a load that fails: we raise what came of them, once.
    logging.getLogger("dlt").setLevel(logging.CRITICAL)
