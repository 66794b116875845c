"""The dbt models as assets downstream of the tables, and what starts them."""
