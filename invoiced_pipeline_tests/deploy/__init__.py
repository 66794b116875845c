"""The files in `deploy/`: valid, and working as their pages say."""
