"""Checks that have no tensor to compare: the call ended early, or left nothing usable.

``endings`` has those that did not come to their end, ``absent`` those that left nothing or gave back too little.
Exceptions are explained by ``errors``, from their ``messages`` and, for classes, ``class_errors``.
"""
