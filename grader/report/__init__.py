"""A ``RunReport`` as text and files. Pure renderers; nothing here knows of kernels, courses or judging.

``counting`` says what was earned, in the same ``words`` everywhere. From it are made the ``views`` for people, the
results for ``autograding`` services and the exports for the ``gradebooks`` of learning platforms. ``document`` is
``report.json``. ``files`` writes a run's reports, ``feedback`` packs the students' pages to be given back.

The names below are the public ones. Each imports its module on first use, so that importing ``grader.report``
costs nothing (neither rich nor jinja2 is imported before something is drawn with it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader import lazy

if TYPE_CHECKING:
    from grader.report.autograding.actions import append_output as append_output
    from grader.report.autograding.actions import append_summary as append_summary
    from grader.report.autograding.actions import github_annotations as github_annotations
    from grader.report.autograding.classroom import github_error_output as github_error_output
    from grader.report.autograding.classroom import github_output as github_output
    from grader.report.autograding.classroom50 import classroom50_result as classroom50_result
    from grader.report.autograding.gradescope import gradescope_failure as gradescope_failure
    from grader.report.autograding.gradescope import gradescope_results as gradescope_results
    from grader.report.autograding.junit import junit_failure as junit_failure
    from grader.report.autograding.junit import junit_xml as junit_xml
    from grader.report.document import load_schema as load_schema
    from grader.report.feedback import write_feedback as write_feedback
    from grader.report.files import write_reports as write_reports
    from grader.report.gradebooks.lms import export as export
    from grader.report.gradebooks.lms import identifier_of as identifier_of
    from grader.report.gradebooks.roster import absentees as absentees
    from grader.report.gradebooks.roster import assignments_in as assignments_in
    from grader.report.gradebooks.roster import full_marks_in as full_marks_in
    from grader.report.gradebooks.roster import read_roster as read_roster
    from grader.report.gradebooks.roster import strangers as strangers
    from grader.report.views.markdown import render_markdown as render_markdown
    from grader.report.views.pages import exercises_html as exercises_html
    from grader.report.views.progress import ScoreProgress as ScoreProgress
    from grader.report.views.terminal import exercises_text as exercises_text
    from grader.report.views.terminal import render_class as render_class
    from grader.report.views.terminal import render_run as render_run
    from grader.report.views.terminal import render_submission as render_submission
    from grader.report.words.text import plain as plain

__getattr__, __all__ = lazy.public(
    __name__,
    {
        "autograding.actions": "append_output append_summary github_annotations",
        "autograding.classroom": "github_error_output github_output",
        "autograding.classroom50": "classroom50_result",
        "document": "load_schema",
        "feedback": "write_feedback",
        "files": "write_reports",
        "autograding.gradescope": "gradescope_failure gradescope_results",
        "autograding.junit": "junit_failure junit_xml",
        "gradebooks.lms": "export identifier_of",
        "views.markdown": "render_markdown",
        "views.pages": "exercises_html",
        "views.progress": "ScoreProgress",
        "gradebooks.roster": "absentees assignments_in full_marks_in read_roster strangers",
        "views.terminal": "exercises_text render_class render_run render_submission",
        "words.text": "plain",
    },
)
