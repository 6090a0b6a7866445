"""Files that students control, on the disk and in archives: found, opened and unpacked, and nothing in them run.

``finding`` walks folders, ``archive`` (``zip_names``) unpacks, unless that lies there ``unpacked``. ``regular_file``
opens a file, ``limits`` says how large it may be, ``printable`` makes its name fit to be shown.
"""
