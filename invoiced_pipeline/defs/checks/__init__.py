"""Checks of assets: declared, executed after a load, and standing between runs."""
