"""Write-backs in Dagster: job and op, schedule and sensor."""
