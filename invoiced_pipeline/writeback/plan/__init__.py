"""Plans a push row by row."""
