"""The Dagster UI as a person sees it: `dagster dev`, and a headless browser."""
