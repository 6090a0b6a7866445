"""Programs on their way into the sandbox: each one a sealed memory file, made once a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from grader.kernel.protocol import memfiles, wire
from grader.kernel.protocol.programs import encode, parameters
from grader.model import Check, Program

#: The text of a program: its call, the call's parameters, and the paths that are read afterwards.
Text = tuple[str, tuple[str, ...], tuple[str, ...]]
#: Characters of all texts that a job's kernel is told of before it is made.
_TOLD = 8 * 1024


class ProgramFiles:
    """The memory files of all programs of a run, by identity of the tuple that a check holds them in."""

    def __init__(self) -> None:
        self._files: dict[int, tuple[tuple[Program, ...], tuple[int, ...]]] = {}
        self._texts: dict[int, tuple[tuple[Program, ...], tuple[Text, ...]]] = {}

    def texts(self, checks: Iterable[Check]) -> list[Text]:
        """What ``checks`` will compile, for the zygote to do it once for all its forks (``program.compile_ahead``).

        The cases of an exercise mostly share one text. Of very many only the first are told.
        """
        found: list[Text] = []
        room = _TOLD
        for check in checks:
            if id(check.programs) not in self._texts:
                self._texts[id(check.programs)] = check.programs, _texts(check.programs)
            for text in self._texts[id(check.programs)][1]:
                room -= len(str(text))
                if room < 0:
                    return found
                found.append(text)
        return found

    def open(self, programs: tuple[Program, ...], start: int, stop: int) -> list[int]:
        """Fresh read-only descriptors of the files of ``programs[start:stop]``; the caller closes them."""
        held = self._files.get(id(programs))
        if held is None:
            fds = _all_or_none(memfiles.sealed(encode(program)) for program in programs)
            held = self._files[id(programs)] = (programs, tuple(fds))
        places = (f"/proc/self/fd/{fd}" for fd in held[1][start:stop])
        return _all_or_none(os.open(place, os.O_RDONLY | os.O_CLOEXEC) for place in places)

    def close(self) -> None:
        """Give the memory back."""
        wire.close_all(fd for _, fds in self._files.values() for fd in fds)
        self._files.clear()
        self._texts.clear()


def _all_or_none(descriptors: Iterator[int]) -> list[int]:
    """Them all, as they are made; where one cannot be, those before it are closed."""
    made: list[int] = []
    try:
        for fd in descriptors:
            made.append(fd)
    except OSError:
        wire.close_all(made)
        raise
    return made


def _texts(programs: tuple[Program, ...]) -> tuple[Text, ...]:
    return tuple(dict.fromkeys((one.call, tuple(parameters(one)), tuple(one.reads)) for one in programs))
