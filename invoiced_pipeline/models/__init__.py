"""The dbt project over a dataset's tables: where it is, and how it is run."""
