"""``python -m grader``: the same as the ``grader`` command.

Python puts the working directory first on ``sys.path`` here; inside a student's repository that would let their
``json.py`` be imported in place of the library's, so it is taken off before anything else is imported.
"""

import sys

if sys.path and sys.path[0] not in {"", None} and not sys.flags.safe_path:
    sys.path.pop(0)
sys.path = [entry for entry in sys.path if entry]

from grader.cli import main  # noqa: E402

main()
