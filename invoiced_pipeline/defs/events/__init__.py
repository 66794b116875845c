"""The sensor that starts a sync when Invoiced's events say that something has changed."""
