"""The comparison of another tool's replica with this project's."""
