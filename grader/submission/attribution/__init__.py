"""Which student each file belongs to, told from its path.

``naming`` has the rules. They read ``file_names``, ``folder_names``, the folders ``wrapping`` the work of several, and
what ``gradescope`` says of its export.
"""
