"""When a sync starts: frequency, anchor and cron as instants. Pure: no clock, no files."""
