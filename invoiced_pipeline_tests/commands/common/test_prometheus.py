"""The state of connections as Prometheus metrics, and the alert rules that use them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from invoiced_pipeline.commands.common.prometheus import as_text, exposition, write_exposition
from invoiced_pipeline.defs.status import ConnectionStatus, TableStatus, WritebackStatus
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline_tests.processes import REPOSITORY

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
RULES = REPOSITORY / "deploy" / "monitoring" / "alerts.yml"
PAGE = REPOSITORY / "docs" / "monitoring.md"

STATUS = ConnectionStatus(
    connection='Acme "EU"',
    dataset="acme_eu",
    schedule="Every hour",
    schedule_on=True,
    next_start=None,
    last_start=None,
    stale_after_hours=48,
    tables=[
        TableStatus(
            table="invoices",
            state="failed",
            rows=10,
            loaded_at=NOW - timedelta(hours=3),
            loaded_rows=2,
            rejected_rows=1,
            covered_until=NOW - timedelta(hours=4),
            started_at=NOW - timedelta(minutes=5),
            ended_at=NOW - timedelta(minutes=3),
        ),
        TableStatus(table="plans", state="pending"),
    ],
    writebacks=[
        WritebackStatus(writeback="crm", state="failed", ended_at=NOW, waiting={"rejected": 2})
    ],
    failed_runs={"acme_eu_sync": 3},
)


def samples(text: str) -> dict[str, float]:
    """Every sample, by its name and labels besides the connection."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {**sample.labels}
            assert labels.pop("connection", STATUS.connection) == STATUS.connection
            name = sample.name.removeprefix("invoiced_pipeline_")
            found[" ".join([name, *labels.values()])] = sample.value
    return found


def test_every_figure_is_a_sample() -> None:
    text = as_text(exposition([STATUS], NOW))
    found = samples(text)
    assert {name: value for name, value in found.items() if "waiting" not in name} == {
        "status_timestamp_seconds": NOW.timestamp(),
        "schedule_on": 1,
        "stale_after_seconds": 172_800,
        "failed_runs acme_eu_sync": 3,
        "table_failed invoices": 1,
        "table_failed plans": 0,
        "table_unavailable invoices": 0,
        "table_unavailable plans": 0,
        "last_success_timestamp_seconds invoices": (NOW - timedelta(hours=3)).timestamp(),
        "coverage_end_timestamp_seconds invoices": (NOW - timedelta(hours=4)).timestamp(),
        "coverage_age_seconds invoices": 4 * 3600,
        "rows invoices": 10,
        "loaded_rows invoices": 2,
        "rejected_rows invoices": 1,
        "last_run_duration_seconds invoices": 120,
        "writeback_failed crm": 1,
        "writeback_last_run_timestamp_seconds crm": NOW.timestamp(),
    }
    # States without rows are 0, so that a series ends at 0 and not in a gap.
    waiting = {name: value for name, value in found.items() if "waiting" in name}
    assert len(waiting) == 6
    assert (
        sum(waiting.values()) == sum(waiting[name] for name in waiting if "rejected" in name) == 2
    )
    # No registry is shared: neither with a second call nor with the process's own metrics.
    assert as_text(exposition([STATUS], NOW)) == text
    assert "python_info" not in text


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "invoiced.prom"
    file.write_text("old")
    registry = exposition([STATUS], NOW)
    write_exposition(registry, file)
    assert file.read_text() == as_text(registry)
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(ConfigurationError, match="Name a file in an existing folder"):
        write_exposition(registry, tmp_path / "missing" / "invoiced.prom")


def metrics() -> set[str]:
    text = as_text(exposition([STATUS], NOW))
    return {family.name for family in text_string_to_metric_families(text)}


def test_alert_rules_use_metrics_that_exist() -> None:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    used = set()
    for rule in group["rules"]:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        names = set(re.findall(r"invoiced_pipeline_\w+", rule["expr"]))
        assert names
        used |= names
    assert used <= metrics()
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])


def test_the_page_names_every_metric() -> None:
    text = PAGE.read_text()
    named = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert {f"invoiced_pipeline_{name}" for name in named} == metrics()
    rules = {
        rule["alert"]: rule for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    }
    for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        found = yaml.safe_load(block)
        for rule in found if isinstance(found, list) else []:
            assert rules[rule["alert"]]["expr"] == rule["expr"]
