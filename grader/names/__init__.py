"""Names: of students, notebooks, files and folders, wherever the grader reads or sorts them.

``notebooks`` reads a notebook's file name, ``downloads`` what platforms call the folders and files of a download.
``visible`` tells work from hidden files and caches. ``alphabet`` sorts names, ``enumeration`` lists them in a sentence.
"""
