"""Talking to the Invoiced API: the client, its errors and the window walk."""
