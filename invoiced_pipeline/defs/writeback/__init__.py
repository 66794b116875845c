"""Write-backs in Dagster: jobs, ops and schedules."""
