"""The models' SQL as dbt compiles it: one start of dbt is enough to model many warehouses.

dbt is run in a user's own project, which has `dbt_invoiced` as a package.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

from invoiced_pipeline.models.project import END_MODELS, PROJECT
from invoiced_pipeline.warehouse.database import Database

DBT = Path(sys.executable).with_name("dbt")

_TODAY = "today"
"""Names the file beside the project with the day that its models describe."""
_ORDER = (
    "invoiced__ar_ledger", "invoiced__ar_open_items", "invoiced__ar_aging",
    "invoiced__cash_receipts", "invoiced__ar_kpis_monthly", "invoiced__customer_overview",
    "invoiced__mrr_movements",
)  # fmt: skip
assert sorted(_ORDER) == sorted(END_MODELS)

_PROJECT_FILES = {
    "dbt_project.yml": """
        name: finance
        profile: finance
        model-paths: [models]
        flags: {send_anonymous_usage_stats: false}
        vars:
          dbt_invoiced:
            invoiced_schema: acme
            invoiced_as_of: $today
        models:
          dbt_invoiced:
            +schema: receivables
    """,
    "packages.yml": f"packages: [{{local: {PROJECT}}}]",
    "models/owed.sql": """
        select currency, sum(total_open) as owed
        from {{ ref('dbt_invoiced', 'invoiced__ar_aging') }}
        where is_today
        group by currency
    """,
}


@dataclass(frozen=True, slots=True)
class Results:
    """What became of `dbt build` in the user's project.

    Attributes:
        folder: The project.
        statuses: Status of every model and test, by its name.
        said: What dbt said.
    """

    folder: Path
    statuses: dict[str, str]
    said: str

    def statements(self) -> dict[str, str]:
        """The SELECT of every end model, over tables and models named without schema.

        Today is `$today` in them.
        """
        today = (self.folder / _TODAY).read_text("utf-8")
        compiled = self.folder / "target" / "compiled" / "dbt_invoiced" / "models"
        return {
            name: re.sub(
                r'"\w+"\."\w+"\.', "", (compiled / f"{name}.sql").read_text("utf-8")
            ).replace(f"'{today}'", "'$today'")
            for name in _ORDER
        }


def build(folder: Path, output: dict[str, Any]) -> Results:
    """Builds the models in a user's project with `dbt deps` and `dbt build`.

    Args:
        folder: Where the project is made.
        output: How the project's profile connects.
    """
    today = str(datetime.now(UTC).date())
    for name, text in {**_PROJECT_FILES, _TODAY: today}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text).replace("$today", today), encoding="utf-8")
    profile = {"finance": {"target": "test", "outputs": {"test": output}}}
    (folder / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")
    said = "".join(_dbt(folder, command) for command in ("deps", "build"))
    return results(folder, said)


def results(folder: Path, said: str = "") -> Results:
    """The results of a build that has ended."""
    found = json.loads((folder / "target" / "run_results.json").read_text("utf-8"))["results"]
    statuses = {each["unique_id"].split(".")[2]: each["status"] for each in found}
    return Results(folder, statuses, said)


def _dbt(folder: Path, command: str) -> str:
    done = subprocess.run(  # noqa: S603 - dbt, in a folder of the test
        [DBT, command, "--project-dir", folder, "--profiles-dir", folder],
        cwd=folder,
        env=os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


class Models:
    """The end models over a dataset, made of their compiled SQL.

    Args:
        statements: As of `Results.statements`.
        database: The warehouse.
        dataset: The tables; the models are made beside them.
    """

    def __init__(self, statements: dict[str, str], database: Database, dataset: str) -> None:
        self._statements = statements
        self._database = database
        self._dataset = dataset

    def make(self, as_of: date) -> None:
        """Makes all models again, as they are on a day."""
        with self._database.session(self._dataset) as session:
            for name, sql in self._statements.items():
                dated = sql.replace("'$today'", f"'{as_of}'")
                session.run(f"drop table if exists {name}")
                session.run(f"create table {name} as {dated}")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query; models are named without a schema."""
        with self._database.session(self._dataset, read_only=True) as session:
            return session.rows(sql)
