"""The files of a new project, as `invoiced-pipeline init` writes them."""

import re
from pathlib import Path

from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.settings.file_name import other_name
from invoiced_pipeline.settings.reference import toml
from invoiced_pipeline.settings.warehouse import DEFAULT_PATH

DAGSTER_HOME = Path("data/dagster")
"""Where commands keep Dagster's run history in any folder without `dagster.yaml`."""

GITIGNORE = """\
.env
data/
.tmp_dagster_home_*/
"""

WORKSPACE = """\
# What `dagster dev` loads in this folder.
load_from:
  - python_module:
      module_name: invoiced_pipeline.definitions
      location_name: invoiced_pipeline
"""

_SETTINGS = """\
# Settings of invoiced-pipeline. Relative paths begin in this folder.
# To turn on a setting that is commented out, remove the #. All settings, with defaults and
# examples, are in docs/settings.md of the project. The API key belongs in .env, never here.

{warehouse}

[[connection]]
# Names the dataset, which is the schema in the warehouse and the asset group: {dataset}.
# Do not change it once there is data.
name = {name}
# The key is a sandbox key.
{sandbox}
# Records updated before this date are not replicated: MM/DD/YYYY or ISO. Default: one year before
# the first sync.
{start_date}
# The size of a partition: monthly, weekly or daily. Do not change it once there is data.
#partitions = "monthly"
# What happens to rows whose records were deleted in Invoiced: mark, remove or ignore.
#deletions = "mark"

# When a sync starts, if the schedule {dataset}_sync_schedule is turned on in Dagster's UI.
[connection.schedule]
# 30m, or 1h to 24h.
{frequency}
# The time of one of the starts, and its time zone.
#anchor = "03:30"
#timezone = "Europe/Berlin"

# The tables to replicate; all by default.
#[connection.tables]
#include = ["customers", "invoices", "payments"]

# Rows that become records in Invoiced. Nothing is sent unless active is true; to see what would be
# sent: invoiced-pipeline writeback plan new_customers
#[[writeback]]
#name = "new_customers"
#operation = "create_customer"
#source = "customers.csv"
#key = "number"
#active = false
"""

_WAREHOUSE = """\
# The DuckDB file. No schema may have its name. For PostgreSQL, see docs/warehouses.md.
{mark}[warehouse]
{mark}path = {path}"""

_DOTENV = """\
# Keep this file out of version control: it holds the key. Environment variables override it.

# Invoiced: Settings > Developers > API Keys.
INVOICED_API_KEY={key}

# Where Dagster keeps its run history: an absolute path. Correct it when you move this folder.
DAGSTER_HOME={home}
"""


def settings_file(
    connection: ConnectionSettings,
    *,
    data: Path | None = None,
    start_date: str,
    frequency: str,
    sandbox: bool,
) -> str:
    """Returns the text of `invoiced.toml`.

    Args:
        connection: A connection with the project's name.
        data: The warehouse's folder, as an absolute path; None for the default.
        start_date: The start date as it was typed; empty for the default.
        frequency: The frequency as it was typed; empty for the default.
        sandbox: Whether the key is a sandbox key.
    """
    path = other_name(DEFAULT_PATH, [connection])
    if data:
        path = data / path.name
    mark = "#" if path == DEFAULT_PATH else ""
    return _SETTINGS.format(
        warehouse=_WAREHOUSE.format(mark=mark, path=toml(path)),
        dataset=connection.dataset,
        name=toml(connection.name),
        sandbox="sandbox = true" if sandbox else "#sandbox = true",
        start_date=_set("start_date", start_date, "01/31/2025"),
        frequency=_set("frequency", frequency, "1h"),
    )


def dotenv_file(key: str, home: Path) -> str:
    """Returns the text of `.env`."""
    return _DOTENV.format(key=_quoted(key), home=_quoted(str(home)))


def _set(name: str, value: str, example: str) -> str:
    return f"{name} = {toml(value)}" if value else f"#{name} = {toml(example)}"


def _quoted(value: str) -> str:
    """Returns a value quoted for `.env`."""
    if re.fullmatch(r"[\w./:@+-]*", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
