"""Runs tap-invoiced against the API at the address that is its first argument."""

import sys

import invoiced
import tap_invoiced

if __name__ == "__main__":
    # The tap has no setting for the address, and hands nothing but the key to its client.
    invoiced.Client.ApiBase = sys.argv.pop(1)
    tap_invoiced.main()
