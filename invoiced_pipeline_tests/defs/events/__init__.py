"""The sensor that syncs what events name."""
