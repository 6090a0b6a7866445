"""The ``grader`` command, also as ``python -m grader``.

Python puts the working directory first on ``sys.path`` for the latter; inside a student's repository that would let
their ``json.py`` be imported in place of the library's, so it is taken off before anything else is imported.
"""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    sys.path.pop(0)

import os
import signal


def main() -> None:
    """Run the command line. Until a command begins, while all is imported, an interruption ends the process at once."""
    _speak_utf8()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from grader.cli import main as run

    run()


def _speak_utf8() -> None:
    """Begin anew where the locale has other names for files than UTF-8: those of students would be cut into bytes.

    Python takes UTF-8 in the locales ``C`` and ``POSIX`` of its own accord, unless ``PYTHONUTF8=0`` says otherwise.
    """
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode and sys.executable:
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - no shell is wanted


def _end(number: int, _: object) -> None:
    try:
        os.write(2, b"\ninterrupted\n")
    finally:
        os._exit(128 + number)


if __name__ == "__main__":
    main()
