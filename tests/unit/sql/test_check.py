"""`python -m tests.sql_check` finds bad SQL and passes good SQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.exports.rows import EVENT_COLUMNS as EXPORTED
from service.exports.rows import RECEIVED_AT
from sql.statements import EVENT_COLUMNS
from tests.sql_check.archive import check_archive_file, is_of_archive
from tests.sql_check.files import check_file
from tests.sql_check.folders import APART, LAYERS, check_folders
from tests.sql_check.modules import check_module

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
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    check = check_module if path.suffix == ".py" else check_archive_file if is_of_archive(path) else check_file
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


DUCK = """-- The events of a file.
-- $file: path of the file
-- Rows: one per event (position).
select position, max_by(a, lambda x: x) from read_parquet($file) qualify row_number() over () = 1
"""


def test_a_good_statement_of_duckdb_passes(tmp_path: Path) -> None:
    assert found(tmp_path / "sql/archive/list_positions.sql", DUCK) == []
    assert found(tmp_path / "sql/archive/configure.sql", f"{DUCK}; set threads = 1;") == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("($file)", "($file", "1: Parser Error: syntax error"),
        ("select", "SELECT", "4: not in lower case: SELECT"),
        ("qualify", "; select 1 qualify", "1: a file is one statement, not 2"),
        ("-- The events of a file.\n", "", "1: the header does not begin with what the statement is"),
        ("-- $file: path of the file\n", "", "1: the header describes [], the statement uses ['$file']"),
        ("-- Rows: one", "-- one", "1: the header does not say how many rows there are (Rows: ...)"),
    ],
)
def test_a_bad_statement_of_duckdb_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    problems = found(tmp_path / "sql/archive/list_positions.sql", DUCK.replace(old, new))
    assert [each for each in problems if each.startswith(problem)]


def test_a_sql_function_that_reads_events_is_named(tmp_path: Path) -> None:
    text = (
        "-- All.\ncreate or replace function more() returns bigint language sql\nas $$\nselect count(*) from {}\n$$;\n"
    )
    assert found(tmp_path / "functions/more.sql", text.format("receipts")) == []
    (problem,) = found(tmp_path / "functions/more.sql", text.format("(select from events) as e"))
    assert "plans with it inlined miss new days" in problem


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


EVENTS = """-- All events.
-- Rows: one per event.
select
    e.event_id, e.event_type, e.session_id, e.user_id, e.tool_name, e.action, e.properties::text as properties,
    e.demo_mode, e.timestamp, e.received_at, e.shard
from events as e
"""


def test_a_query_of_events_that_gives_all_columns_passes(tmp_path: Path) -> None:
    assert found(tmp_path / "queries/all_events.sql", EVENTS) == []
    assert found(tmp_path / "queries/all_events.sql", EVENTS.replace(", e.shard", "")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" e.action,", ""),
        ("e.event_type, e.session_id", "e.session_id, e.event_type"),
        (", e.shard", ", e.shard, e.position"),
        ("e.event_id, ", ""),
        ("e.tool_name", "e.tool_name as tool"),
    ],
)
def test_a_query_of_events_that_gives_other_columns_is_named(tmp_path: Path, old: str, new: str) -> None:
    problem = f"1: a query of events gives {', '.join(EVENT_COLUMNS)}, and shard at most"
    assert found(tmp_path / "queries/all_events.sql", EVENTS.replace(old, new)) == [problem]


def test_exports_name_the_columns_in_the_order_of_the_queries() -> None:
    assert (*EXPORTED, *RECEIVED_AT) == EVENT_COLUMNS


def calling(name: str, called: str) -> str:
    return f"-- Calls.\ncreate or replace function {name}()\nlanguage sql\nas $$\n    select {called}\n$$;\n"


def between(root: Path, **files: str) -> list[str]:
    """Write files of functions, named `folder__name`; return the problems between them."""
    for place, text in files.items():
        folder, _, name = place.partition("__")
        path = root / "functions" / folder / f"{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [f"{each.path.stem}:{each.line}: {each.message}" for each in check_folders(root)]


def test_calls_downward_and_within_a_folder_pass(tmp_path: Path) -> None:
    lower = {"time__hour": calling("hour", "now()"), "time__day": calling("day", "hour()")}
    assert between(tmp_path, **lower, log__head=calling("head", "day() + hour() -- rows()")) == []


@pytest.mark.parametrize(
    ("caller", "called"),
    [("time", "log"), ("verify", "bi"), ("reports", "verify"), ("log", "schema"), ("schema", "log")],
)
def test_a_call_that_does_not_go_down_is_named(tmp_path: Path, caller: str, called: str) -> None:
    files = {f"{caller}__one": calling("one", "2 + two()"), f"{called}__two": calling("two", "2")}
    assert between(tmp_path, **files) == [f"one:5: {caller} calls two of {called}, which is not below it"]


def test_a_call_in_plpgsql_is_seen(tmp_path: Path) -> None:
    upward = FUNCTION.replace("return n + 1", "perform (select rows(n))")
    assert between(tmp_path, time__more=upward, log__rows=calling("rows", "1")) == [
        "more:7: time calls rows of log, which is not below it"
    ]


def test_a_folder_that_is_no_layer_is_named(tmp_path: Path) -> None:
    assert between(tmp_path, odd__one=calling("one", "1")) == ["one:1: odd is not one of the folders of functions"]


@pytest.mark.parametrize("kind", ["functions", "queries"])
def test_two_files_of_one_name_are_named(tmp_path: Path, kind: str) -> None:
    for folder in ("log", "time"):
        path = tmp_path / kind / folder / "one.sql"
        path.parent.mkdir(parents=True)
        path.write_text(calling("one", "1"))
    problems = [f"{problem.path.parent.name}: {problem.message}" for problem in check_folders(tmp_path)]
    assert problems == ["time: log/one.sql has the same name"]


def test_a_reference_to_no_file_is_named(tmp_path: Path) -> None:
    called = calling("one", "1").replace("Calls.", "See functions/time/one.sql and functions/two.sql.")
    assert between(tmp_path, time__one=called) == ["one:1: there is no functions/two.sql"]


def test_every_layer_is_a_folder() -> None:
    functions = Path(__file__).parents[3] / "sql" / "functions"
    assert {path.name for path in functions.iterdir()} == {*APART, *(name for layer in LAYERS for name in layer)}
