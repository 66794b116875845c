"""`invoiced-pipeline status`, in a folder with two connections."""

import json
import re
from pathlib import Path

from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline_tests.front_door import front_door, invoiced_account

_TWO = """
[[connection]]
[[connection]]
name = "Acme nightly"
[connection.schedule]
frequency = "24h"
anchor = "03:30"
[connection.tables]
include = ["plans"]
"""


def test_without_a_key_and_before_any_run(tmp_path: Path) -> None:
    with front_door(tmp_path) as door:
        (tmp_path / "invoiced.toml").write_text(_TWO)
        said = door.run("invoiced-pipeline", "status", "--json")
        first, second = json.loads(said.out)
        assert (first["connection"], first["dataset"]) == ("Invoiced", "invoiced")
        assert [each["table"] for each in first["tables"]] == list(TABLE_NAMES)
        assert (second["dataset"], len(second["tables"])) == ("acme_nightly", 1)
        assert second["tables"][0]["state"] == "pending"
        assert (second["schedule_on"], second["last_start"]) == (False, None)
        assert second["next_start"].endswith("T03:30:00+00:00")

        output = door.run("invoiced-pipeline", "status", "--connection", "acme_nightly").out
        assert "Acme nightly, in the dataset acme_nightly" in output
        assert (
            "Every day at 03:30 (UTC). The schedule is off; if you turn it on, the next " in output
        )
        assert re.search(r"^ plans +pending", output, re.MULTILINE)
        assert "customers" not in output
        wrong = door.run("invoiced-pipeline", "status", "--connection", "Beta", status=1)
        assert "no connection 'Beta'. Its connections: Invoiced, Acme nightly" in wrong.err
        assert not door.warehouse.exists()


def test_metrics_are_written_when_things_are_bad_and_when_they_are_well(tmp_path: Path) -> None:
    file = tmp_path / "metrics" / "invoiced.prom"
    file.parent.mkdir()
    write = ("invoiced-pipeline", "status", "--format", "prometheus", "--output", str(file))
    with invoiced_account() as account, front_door(tmp_path, account) as door:
        door.sync("--select", "plans", status=1, INVOICED_API_KEY="refused0key")
        assert door.run(*write, status=1).said == ""
        assert 'table_failed{connection="Invoiced",table="plans"} 1.0' in file.read_text()
        assert 'failed_runs{connection="Invoiced",job="invoiced_sync"} 1.0' in file.read_text()
        door.sync("--select", "plans")
        assert door.run(*write).said == ""
        assert 'table_failed{connection="Invoiced",table="plans"} 0.0' in file.read_text()
        assert list(file.parent.iterdir()) == [file]
        printed = door.run("invoiced-pipeline", "status", "--format", "prometheus")
        assert 'last_success_timestamp_seconds{connection="Invoiced",table="plans"}' in printed.out
        refused = door.run("invoiced-pipeline", "status", "--output", "x", status=2)
        assert "needs --format prometheus" in refused.err
