"""The section of `results.md` that `make scale` writes and `make bench` keeps."""

TITLE = "Scale: eight connections on one worker and on two"
_HEADING = f"\n## {TITLE}\n"


def scale_section(text: str) -> str:
    """Returns the section with its heading; empty if the results have none."""
    _, heading, rest = text.partition(_HEADING)
    return heading + _split(rest)[0]


def with_scale(text: str, section: str) -> str:
    """Returns the results with this section at the end, instead of the one they have."""
    before, _, rest = text.partition(_HEADING)
    return before + _split(rest)[1] + section


def _split(rest: str) -> tuple[str, str]:
    """Returns the section's own text, and what follows it."""
    own, heading, others = rest.partition("\n## ")
    return own, heading + others
