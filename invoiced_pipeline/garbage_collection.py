"""How often Python looks for garbage in this project's processes."""

import gc


def collect_rarely() -> None:
    """Has Python look for garbage after 50,000 new objects instead of 700 to 2,000.

    Importing Dagster and dlt makes half a million objects, which stay. With the defaults, looking
    through them again and again takes a tenth of the processor time of a sync without news, and a
    seventh of a first sync's, whose records hold no cycles.
    """
    gc.set_threshold(50_000, 20, 20)
