"""Files as sources of write-backs: read exactly as they are, or refused."""
