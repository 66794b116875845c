"""Carries out a Dockerfile's steps on this machine, below a folder instead of in containers."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from invoiced_pipeline_tests.deploy.scratch_root import DEPLOY, under
from invoiced_pipeline_tests.processes import BINARIES, REPOSITORY

DOCKERFILE = DEPLOY / "containers" / "Dockerfile"
_BY_ROOT_ALONE = ("useradd", "chown")
"""Programs that a test must not run: they are replaced by ones that do nothing."""


@dataclass
class Image:
    """The result of the steps: a folder in place of the file system, and how a command starts.

    All stages share the folder, since they use different paths.
    """

    root: Path
    environment: dict[str, str]
    folder: Path
    user: str = "root"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def under(self, path: str) -> Path:
        """The place of an absolute path."""
        return Path(under(self.root, path))

    def run(self, *command: str, **environment: str) -> str:
        """The output of a command."""
        done = subprocess.run(  # noqa: S603 - a command of the image
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout


def build(root: Path, *, with_packages: bool) -> Image:
    """Carries out the steps.

    Args:
        root: The folder, empty.
        with_packages: Whether to install the packages of the lock file. Otherwise those of this
            environment are used, which saves minutes.
    """
    programs = root / "programs"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    for name in _BY_ROOT_ALONE:
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    path = f"{programs}:{BINARIES}:/usr/bin:/bin"
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    image = Image(root, {"PATH": path, "HOME": str(root), "LANG": "C.UTF-8", **kept}, root)
    for step, text in steps(DOCKERFILE.read_text()):
        _carry_out(image, step, text, with_packages=with_packages)
    return image


def steps(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Instructions and what follows them."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            step, _, text = line.strip().partition(" ")
            yield step, text.strip()


def _carry_out(image: Image, step: str, text: str, *, with_packages: bool) -> None:
    match step:
        case "FROM" | "EXPOSE":
            pass
        case "RUN" if "--requirement" in text and not with_packages:
            _use_packages_of_this_environment(image)
        case "RUN":
            image.run("sh", "-euc", under(image.root, text))
        case "COPY":
            _copy(image, *(each for each in shlex.split(text) if not each.startswith("--")))
        case "WORKDIR":
            image.folder = image.under(text)
            image.folder.mkdir(parents=True, exist_ok=True)
        case "ENV":
            _set(image, text)
        case "USER":
            image.user = text
        case "ENTRYPOINT":
            image.entrypoint = json.loads(under(image.root, text))
        case "CMD":
            image.command = json.loads(text)
        case "HEALTHCHECK":
            image.health = json.loads(text[text.index("[") :])
        case _:
            raise NotImplementedError(step)


def _use_packages_of_this_environment(image: Image) -> None:
    python = image.folder / ".venv" / "bin" / "python"
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(image.run(str(python), "-c", find).strip())
    image.run(str(python), "-m", "pip", "uninstall", "--yes", "setuptools")  # Python's own is old
    (packages / "present.pth").write_text(
        subprocess.check_output([sys.executable, "-c", find], text=True)  # noqa: S603 - this Python
    )


def _set(image: Image, text: str) -> None:
    for pair in shlex.split(text):
        name, _, value = pair.partition("=")
        before = image.environment.get(name, "")
        image.environment[name] = under(image.root, value).replace(f"${name}", before)


def _copy(image: Image, *places: str) -> None:
    *sources, target = places
    if sources[0].startswith("/"):  # from another stage, where it is already
        return
    place = image.under(target) if target.startswith("/") else image.folder / target
    for source in sources:
        for path in files_below(REPOSITORY / source):
            inner = path.relative_to(REPOSITORY / source)
            copy = place / (inner if (REPOSITORY / source).is_dir() else path.name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)


def files_below(source: Path) -> Iterator[Path]:
    """The files of the build's context at a path: those that `.dockerignore` names."""
    ignore = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().splitlines()
    for name in re.findall(r"^!(.+)$", "\n".join(ignore), re.MULTILINE):
        named = REPOSITORY / name
        found = named.rglob("*") if named.is_dir() else [named]
        for path in found:
            if path.is_file() and path.is_relative_to(source) and "__pycache__" not in path.parts:
                yield path


def secrets_exported(image: Image, secrets: Mapping[str, str], folder: Path) -> list[str]:
    """The entry point with these secrets, which are files in `folder`."""
    folder.mkdir(parents=True)
    for name, value in secrets.items():
        (folder / name).write_text(value)
    entrypoint = folder.with_suffix(".entrypoint")
    text = Path(image.entrypoint[0]).read_text()
    entrypoint.write_text(text.replace("/run/secrets", str(folder)))
    entrypoint.chmod(0o755)
    return [str(entrypoint)]
