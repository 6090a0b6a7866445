"""What a report counts: what one student earned (a ``row``), the class (``tally``), and ``concerns`` for a human."""
