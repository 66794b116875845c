"""What the tables and views beside the data hold, in words: this project's own and dlt's."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SystemTable:
    """A table or view that describes the replication or a write-back.

    Attributes:
        name: Its name.
        description: What one row is.
        columns: What each column holds.
    """

    name: str
    description: str
    columns: Mapping[str, str]


LOAD_ID = "The load that brought the row; joins _dlt_loads.load_id."

_TABLE_OF_CONNECTION = {
    "connection": "Name of the connection.",
    "table_name": "The table.",
}

SYNC_LOG = SystemTable(
    "_sync_log",
    "One row per table and run, failed ones and sweeps included, and one per skipped start of a "
    "schedule.",
    {
        "run_id": "The Dagster run; null for a skipped start.",
        "connection": "Name of the connection.",
        "table_name": "The table; null for a skipped start.",
        "mode": "sync (what was not covered yet), window (chosen partitions), full (everything "
        "since the start date) or sweep (a comparison of IDs).",
        "window_start": "Start of the window of updated_at that was read (UTC); null where nothing "
        "had to be read.",
        "window_end": "End of the window of updated_at that was read completely, or should have "
        "been where the table failed (UTC).",
        "started_at": "When reading the table began (UTC).",
        "finished_at": "When the load ended (UTC).",
        "status": "succeeded; failed, also where everything is loaded but a person should look; "
        "skipped for a start of a schedule that found a sync running.",
        "rows": "Records loaded.",
        "new_rows": "Records loaded whose ID was not in the table before.",
        "deleted_rows": "Rows found to be deleted in Invoiced.",
        "rejected_rows": "Records that fit no column; they are in _rejected.",
        "pages": "Pages read from the API.",
        "requests": "Requests to the API, retries included.",
        "retries": "Requests that were repeated.",
        "wait_seconds": "Seconds of waiting for the API, added up over parallel requests.",
        "load_seconds": "Seconds that loading took, for all tables of the run together.",
        "error": "Why the table failed or the start was skipped, or what to look at.",
        "coverage_before": "Windows of updated_at that the table covered when the run began.",
        "coverage_after": "Windows of updated_at that the table covers now.",
    },
)

SYNC_STATUS = SystemTable(
    "_sync_status",
    "The last sync of every table: a view of _sync_log without sweeps and skipped starts.",
    {
        name: SYNC_LOG.columns[name]
        for name in (
            *("connection", "table_name", "status", "mode", "run_id", "started_at", "finished_at"),
            *("rows", "new_rows", "deleted_rows", "rejected_rows", "coverage_after", "error"),
        )
    },
)

SYNC_FRESHNESS = SystemTable(
    "_sync_freshness",
    "How up to date every table is: a view of _sync_log.",
    {
        **_TABLE_OF_CONNECTION,
        "complete_until": "Every change before this instant is in the table (UTC).",
        "last_success_at": "When a sync of the table last succeeded (UTC).",
        "last_run_at": "When a sync of the table last ended, failed ones included (UTC).",
        "age_seconds": "Seconds since complete_until.",
    },
)

SYNC_USAGE = SystemTable(
    "_sync_usage",
    "Rows loaded per day (UTC), connection and table: a view of _sync_log.",
    {
        "day": "The day on which runs ended (UTC).",
        **_TABLE_OF_CONNECTION,
        "first_load_rows": "Rows loaded by the table's first load.",
        "increment_rows": "Rows loaded by later syncs: what was new or changed.",
        "reread_rows": "Rows loaded again by chosen partitions, full syncs and sweeps.",
        "new_rows": "Records loaded whose ID was not in the table before.",
        "runs": "Runs that day.",
        "requests": "Requests to the API, retries included.",
        "rows_per_second": "Rows loaded per second of run time.",
    },
)

TABLE_CHECKS = SystemTable(
    "_table_checks",
    "What the last checks of every table found, so that the next ones only look at what changed. "
    "Delete a row to have the next sync check all rows of its table.",
    {
        "table_name": "The table.",
        "through": "The last load whose rows were checked; joins _dlt_loads.load_id.",
        "rows": "The table's rows after that load; null if they must be counted again.",
        "partitions": "The table's rows by partition (JSON), as Dagster shows them.",
        "checks": "The last result of every check of rows (JSON).",
        "passed": "Whether no check of the table failed.",
        "whole_at": "When all rows were last checked (UTC).",
    },
)

REJECTED = SystemTable(
    "_rejected",
    "Records that fit no column, as the API sent them. Every sync asks for them again, and removes "
    "those that fit.",
    {},  # the loader declares its columns, with their descriptions
)

_ROW_OF_WRITEBACK = {
    "writeback": "Name of the write-back.",
    "record_key": "Key of the source row, as the setting `key` builds it.",
}

LEDGER = SystemTable(
    "_writeback_ledger",
    "One row per source row of a write-back: what was sent and what came of it. It prevents "
    "sending twice: never delete rows.",
    {
        **_ROW_OF_WRITEBACK,
        "payload_hash": "Hash of what the source row wanted when it was last looked at.",
        "idempotency_key": "Idempotency key of the last request; null where the method takes none.",
        "state": "planned (to be sent), sent (outcome not known yet), succeeded, rejected, unknown "
        "(outcome cannot be established), held (waits for another record) or invalid.",
        "attempts": "Requests made for the row.",
        "status_code": "HTTP status of the last response.",
        "invoiced_id": "ID of the record in Invoiced, as text.",
        "error": "Why the row is in its state.",
        "error_param": "The field that the API blames.",
        "first_attempt_at": "When the row was first sent (UTC).",
        "last_attempt_at": "When the row was last sent (UTC).",
        "run_id": "The Dagster run that wrote the entry.",
        "operation": "Name of the operation, such as create_invoice.",
        "action": "What was last sent: create, update, delete or void.",
        "succeeded_hash": "Hash of the payload that last succeeded.",
        "generation": "Number of the row's idempotency key: 0, then one more for each new key.",
        "key_sent_at": "When the idempotency key was first used (UTC).",
        "may_run_until": "Until when Invoiced may still carry out the last request (UTC).",
        "lookup": "How the outcome is looked up in Invoiced, as JSON.",
        "api_key": "Fingerprint of the API key, not the key.",
        "host": "The host that the request went to.",
        "version": "Counts changes of the entry, so that a push notices those of another.",
        "claim": "Marks the push that last wrote the entry.",
    },
)

RESPONSES = SystemTable(
    "_writeback_responses",
    "The API's last response to every source row of a write-back; joins _writeback_ledger by "
    "writeback and record_key.",
    {
        **_ROW_OF_WRITEBACK,
        "status_code": "HTTP status; null where the record was found by a look-up.",
        "invoiced_id": "ID of the record in Invoiced, as text.",
        "response": "The response as the API sent it (JSON); for a rejected row, the error.",
        "verified": "Whether the record is as it was requested; null if that is not known.",
        "drift": "Where it is not: a JSON array of fields, each with the value requested and the "
        "value in Invoiced.",
        "received_at": "When the response arrived (UTC).",
    },
)

PLAN = SystemTable(
    "_writeback_plan",
    "The last plan of every write-back, one row per source row: what a push would send.",
    {
        "writeback": "Name of the write-back.",
        "operation": "Name of the operation, such as create_invoice.",
        "position": "Position of the source row, from 0.",
        "record_key": _ROW_OF_WRITEBACK["record_key"],
        "action": "What a push would do with the row: send it in some way, or leave it.",
        "method": "HTTP method of the request; null where none would be made.",
        "path": "Path of the request; null where none would be made.",
        "body": "Body of the request, JSON; tokens are not shown.",
        "changes": "What an update would change, as a JSON object: field, old and new value.",
        "reason": "Why the row would not be sent, or what to know about it.",
        "reason_param": "The field that the reason is about.",
        "run_id": "The run that planned.",
        "planned_at": "When it planned (UTC).",
    },
)

WRITER = SystemTable(
    "_writer",
    "Who writes the dataset at this moment (PostgreSQL only): empty while nobody does.",
    {
        "run_id": "The Dagster run.",
        "pid": "Its process.",
        "since": "When it took the lock, ISO, UTC.",
        "host": "The machine of its process.",
    },
)

DLT_TABLES = (
    SystemTable(
        "_dlt_loads",
        "One row per load. dlt's table: leave it as it is.",
        {
            "load_id": "The load; _dlt_load_id of the rows that it brought.",
            "schema_name": "Name of dlt's schema.",
            "status": "0 once the load is complete.",
            "inserted_at": "When the load was complete (UTC).",
            "schema_version_hash": "Version of dlt's schema; joins _dlt_version.version_hash.",
        },
    ),
    SystemTable(
        "_dlt_pipeline_state",
        "What the dataset remembers, above all which windows of every table are covered. dlt's "
        "table: leave it as it is.",
        {
            "version": "Version of the state.",
            "engine_version": "Version of dlt's format of states.",
            "pipeline_name": "Name of the dlt pipeline.",
            "state": "The state, compressed.",
            "created_at": "When the state was written (UTC).",
            "version_hash": "Hash of the state.",
            "_dlt_id": "dlt's ID of the row.",
        },
    ),
    SystemTable(
        "_dlt_version",
        "Versions of the dataset's schema. dlt's table: leave it as it is.",
        {
            "version": "Version of the schema.",
            "engine_version": "Version of dlt's format of schemas.",
            "inserted_at": "When the version was written (UTC).",
            "schema_name": "Name of dlt's schema.",
            "version_hash": "Hash of the version.",
            "schema": "The schema, JSON.",
        },
    ),
)

OWN_TABLES = (
    SYNC_LOG,
    SYNC_STATUS,
    SYNC_FRESHNESS,
    SYNC_USAGE,
    TABLE_CHECKS,
    REJECTED,
    LEDGER,
    RESPONSES,
    PLAN,
    WRITER,
)
"""This project's own, in the order in which they are shown."""
