"""Computes when syncs start, from frequency, anchor or cron. Pure: no clock, no files."""
