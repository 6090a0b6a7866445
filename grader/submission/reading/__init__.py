"""One notebook: its cells, the answers among them, and what in them a human should look at.

``reading`` takes the cells out of a ``notebook``; ``location`` finds the answers among their ``definitions`` and
``patches``, apart from the course's ``givens``. ``renaming``, ``suspicion`` (with ``reliance`` on other cells and
``modules``, and what ``imports`` stand for), ``meddling`` and ``obscurity`` find what a human should look at;
``bindings`` tell which texts a name stands for.
"""
