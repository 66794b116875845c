"""`invoiced-pipeline status`, in a folder with two connections."""

import json
import re
from pathlib import Path

from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline_tests.front_door import front_door

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
