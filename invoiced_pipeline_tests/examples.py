"""How many random cases tests draw: all of them, or a few with `--brief`."""

from hypothesis import settings

_BRIEF = "brief"

settings.register_profile(_BRIEF, derandomize=True, database=None, deadline=None)


def draw_few() -> None:
    """Draws few cases from now on, the same each time: before the tests' modules are imported."""
    settings.load_profile(_BRIEF)


def examples(count: int, *, brief: int) -> int:
    """How many examples a property is tried with: `count`, or `brief` ones with `--brief`."""
    return brief if settings.get_current_profile_name() == _BRIEF else count
