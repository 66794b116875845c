"""A folder for Dagster's records, with settings that suit the pipeline."""

from pathlib import Path

DAGSTER_YAML = """\
# Dagster's own settings. Its records are kept beside this file.

# Messages of the pipeline, such as retries, appear in the run's log.
python_logs:
  managed_python_loggers: [invoiced_pipeline]
  python_log_level: INFO

# The warehouse has a lock of its own that dies with its process; these keep the machine usable.
concurrency:
  runs:
    max_concurrent_runs: 4
run_monitoring:
  enabled: true
  start_timeout_seconds: 180

# Ticks are many and say little once they are old; runs and events stay until they are deleted.
retention:
  schedule:
    purge_after_days:
      skipped: 7
      failure: 30
      success: 90
      started: 7
  sensor:
    purge_after_days:
      skipped: 7
      failure: 30
      success: 90
      started: 7

telemetry:
  enabled: false

# No newsletter dialog over the first page.
nux:
  enabled: false
"""


def make_home(home: Path) -> None:
    """Makes the folder, and a `dagster.yaml` in it; what is there is left alone."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "dagster.yaml"
    if not file.exists():
        file.write_text(DAGSTER_YAML, encoding="utf-8")
