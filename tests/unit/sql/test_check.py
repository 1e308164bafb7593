"""What `python -m sql.check` finds, and what it lets pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from sql.check import check_file, check_module

QUERY = """-- The events of one session.
-- $1 session, $2 limit
-- Rows: one per event (position).
select position from events where session_id = $1 limit $2
"""
FUNCTION = """-- One more.
create or replace function more(n integer)
returns integer
language plpgsql
as $$
begin
    return n + 1;
end
$$;
"""
VIEW = """create or replace view bi.days (day, events) as
select c.hour::date, count(*) from hourly_counts as c group by 1;

comment on view bi.days is 'Days.';
comment on column bi.days.day is 'The day.';
comment on column bi.days.events is 'Its events.';
"""


def found(path: Path, text: str) -> list[str]:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    check = check_module if path.suffix == ".py" else check_file
    return [f"{problem.line}: {problem.message}" for problem in check(path)]


def test_good_files_pass(tmp_path: Path) -> None:
    assert found(tmp_path / "queries/list_positions.sql", QUERY) == []
    assert found(tmp_path / "functions/more.sql", FUNCTION) == []
    assert found(tmp_path / "views/days.sql", VIEW) == []
    assert found(tmp_path / "migrations/0001_log.up.sql", "create table t (\"Odd\" text default 'É');") == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("from events", "from", '4: syntax error at or near "where"'),
        ("select", "SELECT", "4: not in lower case: SELECT"),
        ("events", "Events", "4: not in lower case: Events"),
        ("$2\n", "$2; select 1\n", "1: a query is one statement, not 2"),
        ("-- The events of one session.\n", "", "1: the header does not begin with what the query is"),
        (", $2 limit", "", "1: the header describes [1], the statement uses [1, 2]"),
        ("$2", "$3", "1: parameters are not numbered from 1 without gaps: [1, 3]"),
        ("-- Rows: one", "-- one", "1: the header does not say how many rows there are (Rows: ...)"),
    ],
)
def test_a_bad_query_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert problem in found(tmp_path / "queries/list_positions.sql", QUERY.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("n + 1", "1 form n where", '5: syntax error at or near "n"'),
        ("return n", "RETURN n", "7: not in lower case: RETURN"),
        ("more(", "less(", "1: the file is not named after its function, less"),
        ("or replace ", "", "1: a function file is one `create or replace function`"),
        ("-- One more.\n", "", "1: no header says what the function is"),
        ("plpgsql\nas $$\nbegin\n", "sql\nas $$\nselect\n", '7: syntax error at or near "+"'),
    ],
)
def test_a_bad_function_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert problem in found(tmp_path / "functions/more.sql", FUNCTION.replace(old, new))


UNCOMMENTED = "1: after the view come comments on it and on each of its columns, in their order"
NO_VIEW = "1: a view file is one `create or replace view bi.name (columns) as`, and comments"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("group by 1", "group by", '2: syntax error at or near ";"'),
        ("view bi.days", "view bi.hours", "1: the file is not named after its view, hours"),
        ("or replace ", "", NO_VIEW),
        ("view bi.days (", "view days (", NO_VIEW),
        (" (day, events)", "", NO_VIEW),
        ("comment on view bi.days is 'Days.';\n", "", UNCOMMENTED),
        ("comment on column bi.days.events is 'Its events.';\n", "", UNCOMMENTED),
        ("bi.days.events", "bi.days.event", UNCOMMENTED),
        ("comment on column bi.days.day is 'The day.';", "select 1;", UNCOMMENTED),
    ],
)
def test_a_bad_view_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert problem in found(tmp_path / "views/days.sql", VIEW.replace(old, new, 1))


def test_sql_in_python_is_named(tmp_path: Path) -> None:
    text = '''NAME = "with care"\nQUERY = f"""\nselect 1 from {NAME}"""\nHELP = "Select one of the hours"\n'''
    assert found(tmp_path / "module.py", text) == ["2: SQL in a Python string"]
