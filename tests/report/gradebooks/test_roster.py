"""A platform's own list of students: read, matched with a run, and used by the exports."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.model import Target
from grader.report.gradebooks.lms import export
from grader.report.gradebooks.roster import absentees, assignments_in, full_marks_in, read_roster, strangers
from grader.report.views.spreadsheet import csv_text
from tests.report.builders import exercise, run, submission
from tests.report.gradebooks.test_lms import MADE, _rows


def test_roster_read_from_csv_fills_the_columns_of_the_platform(tmp_path: Path) -> None:
    path = tmp_path / "canvas.csv"
    path.write_text("student,ID,SIS User ID\nada,17,a-1\n", encoding="utf-8-sig")

    assert read_roster(path, ()) == {"ada": {"student": "ada", "ID": "17", "SIS User ID": "a-1"}}


@pytest.mark.parametrize(
    ("path", "roster", "to", "identifier", "identified"),
    [
        (
            "c.zip!lovelaceada_LATE_101_5550_03_backprop.ipynb",
            'Student,ID,SIS Login ID\nPoints Possible,,\n"Lovelace, Ada",101,al\n"Never, Came",102,nc\n',
            "canvas",
            None,
            ["Lovelace, Ada", "101", "", "al", "", "4"],
        ),
        (
            "Ada Lovelace_101_assignsubmission_file_/03_backprop.ipynb",
            "Identifier;Full name;Email address\nParticipant 101;Ada L;ada@x\nParticipant 102;Never, Came;n@x\n",
            "moodle",
            "Email address",
            ["ada@x", "4", "lin_grad 4/4"],
        ),
    ],
    ids=["canvas", "moodle"],
)
def test_roster_with_the_numbers_of_a_download_needs_no_names(
    tmp_path: Path, path: str, roster: str, to: Target, identifier: str | None, identified: list[str]
) -> None:
    made = run(submission("ada", exercise("lin_grad"), path=path))
    (tmp_path / "list.csv").write_text(roster, encoding="utf-8")

    known = read_roster(tmp_path / "list.csv", made.handed_in)
    assert _rows(export(made, to, roster=known, identifier=identifier))[-1] == identified
    assert (strangers(made.handed_in, known), absentees(made.handed_in, known)) == ((), ("Never, Came (102)",))


def test_roster_of_one_section_is_told_from_one_without_names(tmp_path: Path) -> None:
    made = run(*(submission(name, exercise("lin_grad")) for name in ("ada", "alan", "grace", "zoe")))
    path = tmp_path / "section.csv"
    path.write_text("Student;Login\nLovelace, A.;ada\nTuring, A.;alan\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"more than half of the 4 students \('Login' has 2\)") as caught:
        read_roster(path, made.handed_in)
    assert caught.value.remedy.startswith("give the lists of all sections in one file, or add a column `student`")
    path.write_text("Student,Login\nLovelace,al\n", encoding="utf-8")
    with pytest.raises(UsageError, match="has no column 'student'; its first line is: Student,Login"):
        read_roster(path, made.handed_in)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('Student,ID,HW3 (9),Final Score\n"    Points Possible",,100,(read only)\nAda,1,,\n', ("HW3 (9)", 100.0)),
        ("Student,ID,HW3 (9)\nPoints Possible,,12.5\n", ("HW3 (9)", 12.5)),
        ("Student,ID,HW4 (9)\nPoints Possible,,100\n", None),
        ("Student,ID,HW3 (9)\nPoints Possible,,\n", None),
        ("Student,ID,HW3 (9)\nAda,1,100\n", None),
        ("Identifier,Grade,Maximum Grade,Year\nParticipant 1,50.00,100.00,2026\nParticipant 2,50.00,100.00,2026\n",
         ("Maximum Grade", 100.0)),
        ("ID;Bewertung;Bestwertung\n1;;100,00\n2;;100,00\n", ("Bestwertung", 100.0)),
        ("Identifier,Grade\n1,12.00\n2,14.00\n", None),
        ("", None),
    ],
)  # fmt: skip
def test_full_marks_are_those_that_the_platform_s_list_says(
    text: str, found: tuple[str, float] | None, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    assert full_marks_in(tmp_path / "list.csv", "HW3 (9)") == found
    assert full_marks_in(tmp_path / "list.csv", "HW3") == found


@pytest.mark.parametrize(
    "headings",
    ["ID,Vollständiger Name,E-Mail-Adresse", "Identifiant,Nom complet,Adresse de courriel", "識別子,姓名,メール"],
)
def test_roster_has_the_numbers_of_a_download_whatever_a_site_calls_their_column(tmp_path: Path, headings: str) -> None:
    made = run(
        submission("Kim_7", exercise("lin_grad"), path="Kim_7_assignsubmission_file/hw.ipynb"),
        submission("Kim_8", exercise("lin_grad"), path="Kim_8_assignsubmission_file/hw.ipynb"),
    )
    rows = "Participant 7,Kim,a@x\nParticipant 8,Kim,b@x\nParticipant 9,Never Came,n@x\n"
    (tmp_path / "list.csv").write_text(f"{headings}\n{rows}", encoding="utf-8")
    known = read_roster(tmp_path / "list.csv", made.handed_in)
    assert list(known) == ["Kim_7", "Kim_8", "Never Came (9)"]
    assert (strangers(made.handed_in, known), absentees(made.handed_in, known)) == ((), ("Never Came (9)",))


def test_nobody_takes_the_number_of_another(tmp_path: Path) -> None:
    made = run(
        submission("lovelaceada", exercise("lin_grad"), path="c.zip!lovelaceada_101_5550_hw.ipynb"),
        submission(
            "turing", exercise("lin_grad"), path="c.zip!turing_102_5551_hw.zip!x_101_assignsubmission_file_/hw.ipynb"
        ),
    )
    (tmp_path / "list.csv").write_text('Student,ID\n"Lovelace, Ada",101\n"Turing, Alan",102\n', encoding="utf-8")

    assert {name: person["ID"] for name, person in read_roster(tmp_path / "list.csv", made.handed_in).items()} == {
        "lovelaceada": "101",
        "turing": "102",
    }


EXPORTED = run(
    submission("Ada Lovelace", exercise("lin_grad"), path="submission_101/hw.ipynb"),
    submission("Grace Hopper & Alan Turing", exercise("lin_grad"), path="x.zip!submission_102/hw.ipynb"),
    submission("Zoe_7", exercise("lin_grad"), path="submission_103/hw.ipynb"),
    submission("Zoe_8", exercise("lin_grad"), path="submission_104/hw.ipynb"),
)
GRADES = """\
Name,SID,Email,Submission ID
Ada M. Lovelace,1,a@x,101
Grace Hopper,2,g@x,102
Alan Turing,3,t@x,102
Zoe,7,z7@x,103
Zoe,8,z8@x,104
Ada Lovelace,9,other@x,
"""
COURSE = """\
First Name,Last Name,SID,Email,Role
Ada,Lovelace,1,a@x,Student
Grace,Hopper,2,g@x,Student
Alan,Turing,3,t@x,Student
Zoe,,7,z7@x,Student
Zoe,,8,z8@x,Student
Came,Never,9,n@x,Student
"""


@pytest.mark.parametrize(
    ("roster", "absent"), [(GRADES, "Ada Lovelace (9)"), (COURSE, "Came Never")], ids=["grades", "course"]
)
def test_roster_of_gradescope_as_it_is_gives_each_member_of_a_team_a_row(
    tmp_path: Path, roster: str, absent: str
) -> None:
    (tmp_path / "list.csv").write_text(roster, encoding="utf-8")
    known = read_roster(tmp_path / "list.csv", EXPORTED.handed_in)
    rows = _rows(export(EXPORTED, "gradescope", roster=known))[1:]
    assert [row[2:5] for row in rows] == [
        ["1", "a@x", "4"],
        ["2", "g@x", "4"],
        ["3", "t@x", "4"],
        ["7", "z7@x", "4"],
        ["8", "z8@x", "4"],
    ]
    assert (strangers(EXPORTED.handed_in, known), absentees(EXPORTED.handed_in, known)) == ((), (absent,))


def test_row_of_gradescope_without_a_name_is_known_by_what_else_it_has(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("First Name,Last Name,SID,Email\n,,8,n@x\n,,9,\n", encoding="utf-8")
    assert list(read_roster(tmp_path / "list.csv", EXPORTED.handed_in)) == ["n@x", "9"]


def test_assignments_in_a_roster_are_the_columns_with_a_number_of_canvas() -> None:
    assert assignments_in({"ada": {"ID": "17", "HW3 (1234)": ""}, "alan": {"HW4 (5)": "2", "Section (B)": ""}}) == (
        "HW3 (1234)",
        "HW4 (5)",
    )


@pytest.mark.parametrize("path", ["x/hw.ipynb", "x_17_assignsubmission_file_/submission_1/hw.ipynb"])
def test_student_who_is_called_like_a_team_elsewhere_is_one(path: str) -> None:
    made = run(submission("Ada & Alan", exercise("lin_grad"), path=path))
    rows = _rows(export(made, "gradescope", roster={"Ada": {"SID": "1"}, "Alan": {"SID": "2"}}))[1:]
    assert [row[2] for row in rows] == ["Ada & Alan"]


def test_submission_that_two_students_have_is_told_by_name(tmp_path: Path) -> None:
    paths = {
        "ada": "submission_101/hw.ipynb",
        "zoe": "late-zoe/submission_101/hw.ipynb",
        "bob": "submission_7/hw.ipynb",
    }
    made = run(*(submission(name, exercise("lin_grad"), path=path) for name, path in paths.items()))
    (tmp_path / "list.csv").write_text("Name,SID,Submission ID\nada,1,101\nB,2,7\n", encoding="utf-8")
    assert {name: row["SID"] for name, row in read_roster(tmp_path / "list.csv", made.handed_in).items()} == {
        "ada": "1",
        "bob": "2",
    }


def test_team_that_a_roster_knows_in_part_stays_one_row_and_is_told() -> None:
    known = {"Grace Hopper": {"SID": "2"}, "Ada Lovelace": {"SID": "1"}}
    rows = _rows(export(EXPORTED, "gradescope", roster=known))[1:]
    assert [row[2] for row in rows] == ["1", "Grace Hopper & Alan Turing", "Zoe_7", "Zoe_8"]
    assert strangers(EXPORTED.handed_in, known) == ("Grace Hopper & Alan Turing", "Zoe_7", "Zoe_8")


def test_roster_with_numbers_is_of_no_use_for_a_class_without(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Student,ID\nada,101\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"more than half of the 3 students \('S\w+' has 1\)"):
        read_roster(tmp_path / "list.csv", MADE.handed_in)


@pytest.mark.parametrize(
    "content", [b"", b"name,id\nada,1\n", b"\xff\xfe\x00", None], ids=["empty", "no_student", "not_utf8", "absent"]
)
def test_roster_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "roster.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UsageError) as caught:
        read_roster(path, ())
    assert "CSV" in caught.value.remedy or "add one" in caught.value.remedy


def test_roster_without_the_column_says_what_it_begins_with(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("Grades of HW3\nstudent;ID number\n", encoding="utf-8")

    with pytest.raises(UsageError, match="its first line is: Grades of HW3"):
        read_roster(path, ())


@pytest.mark.parametrize(
    "heading",
    ['"Name, first name, title";ID number;student', '"Full\nname";ID number ; student', "Name;ID number;student"],
    ids=["commas_in_quotes", "two_lines_and_blanks", "plain"],
)
def test_roster_is_read_whatever_its_headings_hold(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(f"{heading}\nLovelace;7;ada\n", encoding="utf-8")

    assert read_roster(path, ())["ada"]["ID number"] == "7"


@pytest.mark.parametrize("mark", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_roster_is_read_whatever_separates_its_columns(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(f"student{mark}ID number\nada{mark} 17\n{mark}\n", encoding="utf-8")

    assert read_roster(path, ()) == {"ada": {"student": "ada", "ID number": "17"}}


@pytest.mark.parametrize("name", ["-bob", "=cmd()", "Ada  Two Blanks", " lead", "'quoted", "a;b", "ada\\u200b"])
def test_roster_made_of_the_names_that_csv_has_knows_each(tmp_path: Path, name: str) -> None:
    made = run(submission(name, exercise("lin_grad")))
    path = tmp_path / "roster.csv"
    path.write_text(csv_text([("student", "ID number"), (name, "17")]), encoding="utf-8")
    roster = read_roster(path, ())

    assert _rows(export(made, "moodle", roster=roster))[1][0] == "17"
    assert (strangers(made.handed_in, roster, ["ID number"]), absentees(made.handed_in, roster)) == ((), ())


def test_roster_that_names_a_student_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("student,ID\nSmith,5002\nSmith,5003\n", encoding="utf-8")

    with pytest.raises(UsageError, match="'Smith' more than once"):
        read_roster(path, ())


def test_roster_with_an_empty_identifier_exports_the_name_and_tells_it() -> None:
    roster = {"ada": {"ID number": ""}, "alan": {"ID number": "7"}, "linus": {"ID number": "8"}}

    assert [row[0] for row in _rows(export(MADE, "moodle", roster=roster))[1:]] == ["ada", "7", "8"]
    assert strangers(MADE.handed_in, roster, ["ID number"]) == ("ada",)
    assert strangers(MADE.handed_in, roster) == ()


def test_roster_of_someone_who_handed_in_nothing_names_them() -> None:
    assert absentees(MADE.handed_in, {"ada": {}, "Never Came": {}}) == ("Never Came",)


def test_roster_without_the_column_asked_for_is_refused_and_strangers_are_named() -> None:
    with pytest.raises(UsageError, match="no column 'Username'"):
        export(MADE, "moodle", roster={"ada": {"ID number": "1"}}, identifier="Username")
    assert "ada" not in strangers(MADE.handed_in, {"ada": {}})
    assert "linus" in strangers(MADE.handed_in, {"ada": {}})


def test_read_roster_takes_the_column_in_which_the_students_stand(tmp_path: Path) -> None:
    made = run(submission("al1", exercise("lin_grad")), submission("at2", exercise("lin_grad")), submission("zz"))
    path = tmp_path / "canvas.csv"
    path.write_text(
        "Student,ID,SIS Login ID,Section\n    Points Possible,,,\n"
        '"Lovelace, Ada",17,AL1,at2\n"Turing, Alan",18,at2,A\n"Hopper, Grace",19,gh3,A\n'
    )
    roster = read_roster(path, made.handed_in)
    assert {name: person["ID"] for name, person in roster.items()} == {"al1": "17", "at2": "18", "gh3": "19"}
    assert [row[:2] for row in _rows(export(made, "canvas", roster=roster))[2:]] == [
        ["Lovelace, Ada", "17"],
        ["Turing, Alan", "18"],
        ["zz", ""],
    ]
    assert absentees(made.handed_in, roster) == ("gh3",)


@pytest.mark.parametrize(
    "roster",
    [
        'Student,ID,Login\n    Points Possible,,\n"Lovelace, Ada",1,x\n"Smith, John",2,y\n"Müller, Zoë",3,z\n',
        "Login;Nachname;Vorname;ID\nx;Lovelace;Ada;1\ny;Smith;John;2\nz;Müller;Zoë;3\n",
        "First name\tLast name\tID\nAda\tLovelace\t1\nJOHN\tSMITH\t2\nZoë\tMüller\t3\n",
    ],
    ids=["canvas", "two columns", "other order"],
)
def test_read_roster_knows_names_whose_words_are_in_another_order(roster: str, tmp_path: Path) -> None:
    names = {"Ada_Lovelace": "1", "John Smith": "2", "zoe muller": "3"}
    made = run(*(submission(name, exercise("lin_grad")) for name in names))
    (tmp_path / "list.csv").write_text(roster, encoding="utf-8")
    found = read_roster(tmp_path / "list.csv", made.handed_in)
    assert {name: person["ID"] for name, person in found.items()} == names


def test_read_roster_tells_of_who_has_no_login_there(tmp_path: Path) -> None:
    made = run(submission("ada", exercise("lin_grad")), submission("alan-t", exercise("lin_grad")))
    rows = [("Lovelace, Ada", "ada"), ("Turing, Alan", "alan-t"), ("Gone, Bob", ""), ("Same", ""), ("Same", "")]
    (tmp_path / "classroom_roster.csv").write_text(csv_text([("identifier", "github_username"), *rows]))
    known = read_roster(tmp_path / "classroom_roster.csv", made.handed_in)
    assert (strangers(made.handed_in, known), absentees(made.handed_in, known)) == ((), ("Gone, Bob",))


def test_read_roster_leaves_names_apart_that_two_people_have(tmp_path: Path) -> None:
    names = ("Thomas James", "Ada Lovelace", "kim lee", "Lee Kim")
    made = run(*(submission(name, exercise("lin_grad")) for name in names))
    listed = ["Thomas James", "James, Thomas", "Lovelace, Ada", "kim lee", "Lee Kim", "Kim-Lee"]
    (tmp_path / "list.csv").write_text(csv_text([["who"], *([name] for name in listed)]), encoding="utf-8")
    found = read_roster(tmp_path / "list.csv", made.handed_in)
    assert list(found) == ["Thomas James", "James, Thomas", "Ada Lovelace", "kim lee", "Lee Kim", "Kim-Lee"]


def test_read_roster_in_which_few_of_the_students_stand_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Login;Section\nxx;ada\nyy;A\n")
    with pytest.raises(UsageError, match=r"more than half of the 3 students \('S\w+' has 1\)"):
        read_roster(path, MADE.handed_in)


def test_read_roster_leaves_namesakes_without_a_number_to_nobody_and_refuses_no_class(tmp_path: Path) -> None:
    made = run(*(submission(name, exercise("lin_grad")) for name in ("Ada Lovelace", "Alan Turing", "John Smith")))
    rows = [("#1", "Lovelace", "Ada"), ("#2", "Turing", "Alan"), ("#3", "Smith", "John"), ("#4", "Smith", "John")]
    (tmp_path / "list.csv").write_text(csv_text([("OrgDefinedId", "Last Name", "First Name"), *rows]))
    known = read_roster(tmp_path / "list.csv", made.handed_in)
    assert list(known) == ["Ada Lovelace", "Alan Turing", "Smith John (#3)", "Smith John (#4)"]
    assert (strangers(made.handed_in, known), absentees(made.handed_in, known)) == (
        ("John Smith",),
        ("Smith John (#3)", "Smith John (#4)"),
    )


def test_read_roster_in_which_one_row_stands_twice_is_refused(tmp_path: Path) -> None:
    made = run(submission("Ada Lovelace", exercise("lin_grad")))
    (tmp_path / "list.csv").write_text("Name,ID\nAda Lovelace,1\nZoe,2\nZoe,2\n")
    with pytest.raises(UsageError, match="'Zoe' more than once"):
        read_roster(tmp_path / "list.csv", made.handed_in)


VIEW = '"Student, Test",9999,,5f0a,Section 1\n'


@pytest.mark.parametrize(
    ("paths", "known"),
    [
        ({"lovelaceada": "lovelaceada_101_5550_hw.ipynb"}, ["lovelaceada"]),
        ({"Ada Lovelace": "Ada Lovelace/hw.ipynb"}, ["Ada Lovelace"]),
        ({"lovelaceada": "lovelaceada_101_5550_hw.ipynb", "t": "t_9999_5551_hw.ipynb"}, ["lovelaceada", "t"]),
    ],
    ids=["by number", "by name", "handed in"],
)
def test_read_roster_of_canvas_has_no_test_student_unless_something_was_handed_in_as_them(
    paths: dict[str, str], known: list[str], tmp_path: Path
) -> None:
    made = run(*(submission(name, exercise("lin_grad"), path=path) for name, path in paths.items()))
    columns = "Student,ID,SIS User ID,SIS Login ID,Section\n"
    (tmp_path / "grades.csv").write_text(f'{columns}    Points Possible,,,,\n"Lovelace, Ada",101,s1,al,\n{VIEW}')
    assert list(read_roster(tmp_path / "grades.csv", made.handed_in)) == known
