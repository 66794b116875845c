"""The folders of a deployment, in a folder of the test."""

import re
from pathlib import Path

from invoiced_pipeline_tests.processes import REPOSITORY

DEPLOY = REPOSITORY / "deploy"

_OURS = re.compile(
    r"(?<![\w./-])/(?=(?:(?:opt|etc|var/lib|var/backups)/invoiced-pipeline|run/secrets"
    r"|usr/local/bin)\b)"
)


def under(root: Path, text: str) -> str:
    """`text` with the deployment's absolute paths below `root`."""
    return _OURS.sub(f"{root}/", text)
