"""What a repository pins, so that every run of a term grades with the same code: the grader, torch, the course."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, entry_points, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

from grader._version import __version__
from grader.course.loading import GROUP
from grader.errors import UsageError
from grader.model import Course

DISTRIBUTION = "autograd-grader"
_REQUIREMENT = re.compile(rf"{DISTRIBUTION}\s*(?:==\s*[\w.+!-]+|@\s*[\w+.-]+://\S+)")


@dataclass(frozen=True, slots=True)
class Pins:
    """``requirements`` are ``name==version``; ``file`` is where the course lies if it is no installed one.

    ``doubtful`` says that the grader is pinned as a package index would have it, and came here from elsewhere.
    """

    course: str
    notebooks: tuple[str, ...]
    torch: str
    requirements: tuple[str, ...]
    file: Path | None = None
    doubtful: bool = False

    @property
    def version(self) -> str:
        """The grader's own version."""
        return __version__

    @property
    def course_file(self) -> str:
        """The name of the course's file or folder; empty for an installed course."""
        return self.file.name if self.file is not None else ""

    @property
    def quoted_requirements(self) -> str:
        """The requirements as arguments of a shell command."""
        return shlex.join(self.requirements)

    @property
    def quoted_assigned(self) -> str:
        """``--assigned`` for every notebook, as arguments of a shell command."""
        return shlex.join(argument for name in self.notebooks for argument in ("--assigned", name))


def pins_of(course: Course, name: str, grader: str = "") -> Pins:
    """The pins for the course that was loaded by ``name``; ``grader`` is what to install in place of this release.

    Raises:
        UsageError: torch is not installed here, so there is no version to pin; ``grader`` pins nothing.
    """
    if grader and not _REQUIREMENT.fullmatch(grader):
        raise UsageError(
            f"{grader!r} does not say which {DISTRIBUTION} to install",
            remedy=f'write "{DISTRIBUTION}==VERSION", or "{DISTRIBUTION} @ git+https://HOST/OWNER/NAME@TAG"',
        )
    point = next(iter(entry_points(group=GROUP, name=name)), None)
    file = Path(name).resolve() if point is None and Path(name).exists() else None
    origin = _origin()
    found = grader or _in_repository(origin)
    requirements = [found or f"{DISTRIBUTION}=={__version__}"]
    if point is not None and point.dist is not None and point.dist.name != DISTRIBUTION:
        requirements.append(f"{point.dist.name}=={point.dist.version}")
    shown = file.name if file is not None else name
    doubtful = not found and origin is not None
    return Pins(shown, _plain(course.notebooks), _torch(), tuple(requirements), file, doubtful)


def _origin() -> dict[str, Any] | None:
    """Where this grader was installed from, as PEP 610 has noted it down; None for a package index."""
    try:
        text = distribution(DISTRIBUTION).read_text("direct_url.json")
    except PackageNotFoundError:
        return {}
    return None if text is None else dict(json.loads(text))


def _in_repository(origin: Mapping[str, Any] | None) -> str:
    """The requirement of the commit that was installed from a repository that others reach, or from a clone of it."""
    if not origin:
        return ""
    url = str(origin["url"])
    if "vcs_info" in origin:
        vcs, commit = origin["vcs_info"]["vcs"], origin["vcs_info"]["commit_id"]
    elif url.startswith("file:") and (clone := Path(url2pathname(urlsplit(url).path))).is_dir():
        vcs, commit, url = "git", _pushed(clone), _git(clone, "remote", "get-url", "origin")
    else:
        return ""
    if not commit or not url.startswith(("https://", "ssh://")):
        return ""
    return f"{DISTRIBUTION} @ {vcs}+{_without_password(url)}@{commit}"


def _pushed(clone: Path) -> str:
    """The commit that is checked out at the top of a clone, if a branch of its remote has it; else empty."""
    if _git(clone, "rev-parse", "--show-prefix", "--is-inside-work-tree") != "true":  # or below the top: a prefix first
        return ""
    commit = _git(clone, "rev-parse", "HEAD")
    return commit if _git(clone, "branch", "--remotes", "--contains", commit, "--list", "origin/*") else ""


def _git(clone: Path, *arguments: str) -> str:
    """What git prints of a clone; empty where it fails or there is none."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "-C", str(clone), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)  # noqa: S603 - no shell
    except (OSError, UnicodeDecodeError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _without_password(url: str) -> str:
    """A repository's address without the name and the token that somebody cloned it with over HTTPS."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if parts.scheme == "https" else url


def _torch() -> str:
    try:
        return version("torch").partition("+")[0]
    except PackageNotFoundError:
        raise UsageError("torch is not installed, so there is no version to pin", remedy="pip install torch") from None


def _plain(notebooks: Sequence[str]) -> tuple[str, ...]:
    """The stems, each on one line: they are written into files."""
    return tuple(" ".join(stem.split()) for stem in notebooks)
