"""Who is behind each ``submission_17`` of Gradescope's *Export submissions*, as its ``submission_metadata.yml`` says.

The file is read as a stream of YAML events, and no object is ever built from it: tags have no effect and an alias can
stand for one string only, so that a hostile file costs no more than its size. A submission whose student the file does
not tell is called by its folder's name, with a remark that says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.names.downloads import GRADESCOPE, TEAM
from grader.submission.files.printable import printable
from grader.submission.files.regular_file import Refused, content

METADATA = "submission_metadata.yml"
#: The file has every test's output of every attempt too, so that a large class comes to some tens of megabytes.
_MOST_BYTES = 64 * 1024**2
_LONGEST_NAME = 200
_DEEPEST = 100
_NOTHING = ("~", "null")

_Person = dict[str, str]
_Team = dict[str, _Person]


@dataclass(frozen=True, slots=True)
class Submitters:
    """Who handed in one submission: all names in one, and the numbers that tell namesakes apart.

    ``remark`` says why the students are not known, where they are not; ``name`` is the folder's then.
    """

    name: str
    number: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """What an export says of its folders; ``problem`` is why it does not say all."""

    teams: Mapping[str, _Team]
    problem: str = ""

    def submitters(self, folder: str) -> Submitters | None:
        """Who is behind a folder, None where it is not called as the export calls them."""
        match = GRADESCOPE.fullmatch(folder)
        if match is None:
            return None
        team = [*self.teams.get(folder, {}).values()]
        names = [*map(_name, team)]
        if not team:
            return _unknown(folder, self.problem or "does not have it")
        if not all(names) or len(TEAM.join(names)) > _LONGEST_NAME:
            return _unknown(folder, "has no usable name or e-mail address for it")
        numbers = [person.get("sid") or person.get("email", "") for person in team]
        number = printable("+".join(numbers)) if all(numbers) else match["number"]
        return Submitters(TEAM.join(names), number[:_LONGEST_NAME])


def _unknown(folder: str, why: str) -> Submitters:
    return Submitters(folder, "", f"who handed in {folder} is not known: {METADATA} {why}")


def _name(person: _Person) -> str:
    """A submitter's name, else e-mail address, else number; empty where the file has none of them.

    What joins the names of a team is taken out of one person's name, which would be exported as a team otherwise.
    """
    return next((person[key] for key in ("name", "email", "sid") if person.get(key)), "").replace(TEAM, " and ")


def export_in(root: Path) -> Export | None:
    """What the folder ``root`` says of its sub-folders, None where it is not an export of Gradescope's."""
    path = root / METADATA
    try:
        path.lstat()
        return _read(content(path, _MOST_BYTES))
    except OSError:
        return None
    except Refused as refusal:
        return Export({}, f"is {refusal}" if str(refusal).startswith(("a ", "too ")) else str(refusal))


def _read(data: bytes) -> Export:
    import yaml  # only where there is such a file

    teams: dict[str, _Team] = {}
    problem, last = "", ""
    try:
        for last, place, key, value in _submitters(data):
            teams.setdefault(last, {}).setdefault(place, {})[key.removeprefix(":")] = " ".join(value.split())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"is not YAML{f' from line {mark.line + 1} on' if mark else ''}"
    except (yaml.YAMLError, ValueError):
        problem = "is not YAML"
    if not problem and data and not data.endswith(b"\n"):
        problem = "is cut off"
    if problem:
        teams.pop(last, None)  # who knows whether that was all of them
    return Export(teams, problem or ("" if teams else "names nobody"))


def _submitters(data: bytes) -> Iterator[tuple[str, str, str, str]]:
    """Yield each ``folder: {:submitters: [{key: value}]}`` as folder, place in the list, key and value."""
    for way, text in _texts(data):
        if len(way) == 4 and way[1].key.removeprefix(":") == "submitters":
            folder, _, place, key = (step.key for step in way)
            yield folder, place, key, text


@dataclass(slots=True)
class _Step:
    """A list or map on the way to where the stream is, and the key or the place of what the stream is at in it."""

    is_map: bool
    seen: int = 0
    key: str = ""

    def enter(self, text: str | None) -> bool:
        """Go on to the next node, which is ``text`` or a list or map, and tell whether it is a value."""
        is_key = self.is_map and self.seen % 2 == 0
        if is_key:
            self.key = text or ""
        elif not self.is_map:
            self.key = str(self.seen)
        self.seen += 1
        return not is_key


def _texts(data: bytes) -> Iterator[tuple[list[_Step], str]]:
    """Yield every text of the YAML that is a value, with the way to it, which is good until the next one."""
    import yaml

    way: list[_Step] = []
    anchors: dict[str, str] = {}  # Ruby writes a text that it has twice only once
    for event in yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.CollectionEndEvent):
            way.pop()
        elif isinstance(event, yaml.CollectionStartEvent):
            if way:
                way[-1].enter(None)
            if len(way) == _DEEPEST:  # without libyaml each level makes every further token slower
                raise yaml.MarkedYAMLError(problem="too deep", problem_mark=event.start_mark)
            way.append(_Step(isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            if isinstance(event, yaml.ScalarEvent):
                text = "" if event.implicit[0] and event.value in _NOTHING else event.value
                if event.anchor:
                    anchors[event.anchor] = text
            else:
                text = anchors.get(event.anchor)  # None where it stands for a list or a map
            if way and way[-1].enter(text) and text is not None:
                yield way, text
        elif isinstance(event, yaml.DocumentEndEvent):
            return
