"""The sentences and figures of the reports, but for those about a mistake, which come from the judge.

``wording`` has every sentence that is no diagnosis, ``evidence`` what a failed check showed. ``numbers`` rounds,
``text`` makes harmless what a student wrote.
"""
