"""What `_sync_log` says about runs and tables, one exhibit per module."""
