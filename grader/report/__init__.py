"""A ``RunReport`` as text and files. Pure renderers; nothing here knows of kernels, courses or judging.

Counting
    A ``row`` is what one student earned; ``tally`` counts the class, with the ``concerns`` for a human. ``numbers``
    rounds.
Words
    ``wording`` has every sentence that is no diagnosis, ``evidence`` what a failed check showed; ``plain_feedback`` is
    both as plain text. ``text`` makes harmless what a student wrote.
For people
    ``terminal`` (``progress`` while a run goes on), ``pages`` (``heatmap``), ``markdown`` and ``spreadsheet``.
    ``files`` writes them, ``feedback`` packs the pages to be given back.
For programs
    ``document`` is ``report.json``, ``codec`` a row of the gradebook. ``lms`` exports grades for the students of a
    ``roster``, by what a ``download`` was called. ``actions`` and ``classroom`` (in equal ``units``) are for GitHub,
    ``classroom50``, ``gradescope`` and ``junit`` for who their names say.

The names below are the public ones. Each imports its module on first use, so that importing ``grader.report``
costs nothing (neither rich nor jinja2 is imported before something is drawn with it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import lazy

if TYPE_CHECKING:
    from grader.report.actions import append_output as append_output
    from grader.report.actions import append_summary as append_summary
    from grader.report.actions import github_annotations as github_annotations
    from grader.report.classroom import github_error_output as github_error_output
    from grader.report.classroom import github_output as github_output
    from grader.report.classroom50 import classroom50_result as classroom50_result
    from grader.report.codec import submission_from_dict as submission_from_dict
    from grader.report.codec import submission_to_dict as submission_to_dict
    from grader.report.document import load_schema as load_schema
    from grader.report.document import to_json as to_json
    from grader.report.feedback import write_feedback as write_feedback
    from grader.report.files import write_reports as write_reports
    from grader.report.gradescope import gradescope_failure as gradescope_failure
    from grader.report.gradescope import gradescope_results as gradescope_results
    from grader.report.junit import junit_failure as junit_failure
    from grader.report.junit import junit_xml as junit_xml
    from grader.report.lms import export as export
    from grader.report.lms import identifier_of as identifier_of
    from grader.report.markdown import render_markdown as render_markdown
    from grader.report.pages import class_page as class_page
    from grader.report.pages import exercises_html as exercises_html
    from grader.report.pages import page_name as page_name
    from grader.report.pages import student_page as student_page
    from grader.report.progress import ScoreProgress as ScoreProgress
    from grader.report.roster import absentees as absentees
    from grader.report.roster import assignments_in as assignments_in
    from grader.report.roster import read_roster as read_roster
    from grader.report.roster import strangers as strangers
    from grader.report.spreadsheet import gradebook_csv as gradebook_csv
    from grader.report.terminal import exercises_text as exercises_text
    from grader.report.terminal import render_class as render_class
    from grader.report.terminal import render_run as render_run
    from grader.report.terminal import render_submission as render_submission
    from grader.report.text import plain as plain

__getattr__, __all__ = lazy.public(
    __name__,
    {
        "actions": "append_output append_summary github_annotations",
        "classroom": "github_error_output github_output",
        "classroom50": "classroom50_result",
        "codec": "submission_from_dict submission_to_dict",
        "document": "load_schema to_json",
        "feedback": "write_feedback",
        "files": "write_reports",
        "gradescope": "gradescope_failure gradescope_results",
        "junit": "junit_failure junit_xml",
        "lms": "export identifier_of",
        "markdown": "render_markdown",
        "pages": "class_page exercises_html page_name student_page",
        "progress": "ScoreProgress",
        "roster": "absentees assignments_in read_roster strangers",
        "spreadsheet": "gradebook_csv",
        "terminal": "exercises_text render_class render_run render_submission",
        "text": "plain",
    },
)
