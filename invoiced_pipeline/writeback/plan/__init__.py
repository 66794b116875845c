"""What a push would do, row by row."""
