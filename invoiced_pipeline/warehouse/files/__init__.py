"""Files as sources of write-backs: read exactly, or refused."""
