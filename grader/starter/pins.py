"""What a repository pins, so that every run of a term grades with the same code: the grader, torch, the course."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

from grader._version import __version__
from grader.course.loading import GROUP
from grader.errors import UsageError
from grader.machine import pip_install
from grader.model import Course

DISTRIBUTION = "autograd-grader"
_REQUIREMENT = re.compile(rf"{DISTRIBUTION}\s*(?:==\s*v?\d[\w.+!-]*|@\s*[\w+.-]+://\S+)")
#: What the documentation has where an address and a tag are to stand.
_PLACEHOLDER = re.compile(r"HOST/OWNER/NAME|…|@TAG$")
#: The address by which a forge's repository is cloned with a key: https:// stands before the same host and path there.
_SSH = re.compile(r"ssh://git@([^/:]+)(?::\d+)?/|git@([^/:]+):/?")


@dataclass(frozen=True, slots=True)
class Pins:
    """``requirements`` are what pip is told to install; ``file`` is where the course lies if it is no installed one.

    ``remarks`` say which requirement may not be what is installed here, or may be out of others' reach.
    """

    course: str
    notebooks: tuple[str, ...]
    torch: str
    requirements: tuple[str, ...]
    file: Path | None = None
    remarks: tuple[str, ...] = ()

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
    if grader and (not _REQUIREMENT.fullmatch(grader) or _PLACEHOLDER.search(grader)):
        raise UsageError(
            f"{grader!r} does not say which {DISTRIBUTION} to install",
            remedy=f'write "{DISTRIBUTION}==VERSION", or "{DISTRIBUTION} @ git+https://HOST/OWNER/NAME@TAG", '
            "with what the capitals stand for",
        )
    point = next(iter(entry_points(group=GROUP, name=name)), None)
    file = Path(name).resolve() if point is None and Path(name).exists() else None
    pinned = [(grader, "") if grader else _pin(DISTRIBUTION, __version__, _origin_of_grader(), "with --grader")]
    if point is not None and point.dist is not None and point.dist.name != DISTRIBUTION:
        anew = "with a pushed commit of it installed from its clone"
        pinned.append(_pin(point.dist.name, point.dist.version, _origin(point.dist), anew))
    requirements, remarks = zip(*pinned, strict=True)
    shown = file.name if file is not None else name
    return Pins(shown, _plain(course.notebooks), _torch(), requirements, file, tuple(filter(None, remarks)))


def _pin(name: str, version: str, origin: Mapping[str, Any] | None, anew: str) -> tuple[str, str]:
    """The requirement of a distribution that is installed here, and what is to be told of it: nothing, mostly."""
    if origin is None:
        return f"{name}=={version}", ""
    place, by_ssh = _in_repository(origin)
    if not place:
        return f"{name}=={version}", (
            f"{name}=={version} is what students and runners install, from a package index; the one here came from"
            f" elsewhere. If it is on none, begin anew in an empty folder, {anew}."
        )
    told = f"{name} came by SSH, for which students and runners have no key: they install {place}. See that it opens."
    return f"{name} @ {place}", told if by_ssh else ""


def _origin_of_grader() -> Mapping[str, Any] | None:
    try:
        return _origin(distribution(DISTRIBUTION))
    except PackageNotFoundError:
        return {}


def _origin(installed: Distribution) -> Mapping[str, Any] | None:
    """Where a distribution was installed from, as PEP 610 has noted it down; None for a package index."""
    text = installed.read_text("direct_url.json")
    return None if text is None else dict(json.loads(text))


def _in_repository(origin: Mapping[str, Any]) -> tuple[str, bool]:
    """The commit that was installed from a repository that others reach, or from a clone of it; else empty.

    And whether it was reached by SSH here.
    """
    if not origin:
        return "", False
    url = str(origin["url"])
    if "vcs_info" in origin:
        vcs, commit = origin["vcs_info"]["vcs"], origin["vcs_info"]["commit_id"]
    elif url.startswith("file:") and (clone := Path(url2pathname(urlsplit(url).path))).is_dir():
        vcs, commit, url = "git", _pushed(clone), _git(clone, "remote", "get-url", "origin")
    else:
        return "", False
    by_ssh = _SSH.match(url)
    url = f"https://{by_ssh[1] or by_ssh[2]}/{url[by_ssh.end() :]}" if by_ssh else url
    if not commit or not url.startswith("https://"):
        return "", False
    below = f"#subdirectory={origin['subdirectory']}" if origin.get("subdirectory") else ""
    return f"{vcs}+{_without_password(url)}@{commit}{below}", bool(by_ssh)


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
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _torch() -> str:
    try:
        return version("torch").partition("+")[0]
    except PackageNotFoundError:
        raise UsageError("torch is not installed, so there is no version to pin", remedy=pip_install("torch")) from None


def _plain(notebooks: Sequence[str]) -> tuple[str, ...]:
    """The stems, each on one line: they are written into files."""
    return tuple(" ".join(stem.split()) for stem in notebooks)
