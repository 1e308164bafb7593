"""The weekly report as HTML for mail programs: tables, styles in the elements, no image, nothing from elsewhere.

Colours for dark mode are in a style sheet, which the programs that have a dark mode read. Others show the light ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from service.alerts.messages import About
from service.alerts.weekly import LISTS, TOTALS, Week
from service.alerts.weekly_words import change, days_text, key_text, number, proofs_text, share, weekday
from sql.hourly import FAILED

BAR_PERCENT = 100
_STYLE = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #14171c !important; }
  .card { background: #1d2128 !important; border-color: #313843 !important; }
  .strong { color: #eef1f5 !important; }
  .soft { color: #9aa5b4 !important; }
  .line { border-color: #313843 !important; }
  .track { background: #262c35 !important; }
  .bar { background: #6ea8fe !important; }
  .up { color: #6cd49a !important; }
  .down { color: #ff9d8a !important; }
}
"""
_FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_STRONG = "color:#1b2330"
_SOFT = "color:#5c6878"
_LINE = "border-top:1px solid #e4e8ee"
_GRID = 'role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
_TABLE = f'<table {_GRID} style="border-collapse:collapse">'


def page_of(about: About, week: Week) -> str:
    """Return the HTML of a report."""
    return "\n".join(_parts(about, week)) + "\n"


def _parts(about: About, week: Week) -> Iterator[str]:
    title = f"{escape(week.site)}, {days_text(week)}"
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
    yield f"<title>{title}</title><style>{_STYLE}</style></head>"
    yield f'<body class="page" style="margin:0;padding:0;background:#f3f5f8;{_FONT}">'
    yield f'{_TABLE}<tr><td align="center" style="padding:24px 12px">'
    yield f'<table {_GRID} class="card"'
    yield ' style="max-width:600px;background:#ffffff;border:1px solid #e4e8ee;border-radius:12px">'
    yield '<tr><td style="padding:28px 28px 8px">'
    yield f'<h1 class="strong" style="margin:0;font-size:22px;line-height:28px;{_STRONG}">{escape(week.site)}</h1>'
    yield f'<p class="soft" style="margin:4px 0 0;font-size:14px;line-height:20px;{_SOFT}">'
    yield f"{days_text(week)}, {escape(week.time_zone)}</p></td></tr>"
    yield from _row(_totals(week))
    yield from _row(_days(week))
    for name, heading in LISTS.items():
        if week.lists[name]:
            yield from _row(_list(heading, week.lists[name]))
    yield from _row(_proofs(week))
    yield "</table>"
    yield f'<p class="soft" style="margin:16px 0 0;font-size:12px;line-height:18px;{_SOFT}">'
    yield f"hourledger sends this on Monday mornings, by the rule {escape(about.rule)}.</p>"
    yield "</td></tr></table></body></html>"


def _row(parts: Iterator[str]) -> Iterator[str]:
    yield '<tr><td style="padding:16px 28px">'
    yield from parts
    yield "</td></tr>"


def _heading(text: str) -> str:
    return f'<h2 class="strong" style="margin:0 0 8px;font-size:15px;line-height:20px;{_STRONG}">{escape(text)}</h2>'


def _totals(week: Week) -> Iterator[str]:
    yield f"{_TABLE}<tr>"
    for heading, align in (("", "left"), ("This week", "right"), ("Week before", "right"), ("Change", "right")):
        yield f'<th class="soft" align="{align}" style="padding:0 0 6px;font-size:12px;font-weight:normal;{_SOFT}">'
        yield f"{heading}</th>"
    yield "</tr>"
    for name, title in TOTALS.items():
        before = week.before[name] if week.before else None
        value = week.totals[name]
        yield f'<tr><td class="strong line" style="padding:9px 0;font-size:15px;{_STRONG};{_LINE}">{title}</td>'
        yield f'<td class="strong line" align="right" style="font-size:17px;font-weight:600;{_STRONG};{_LINE}">'
        yield f"{number(value)}</td>"
        yield f'<td class="soft line" align="right" style="font-size:15px;{_SOFT};{_LINE}">{number(before)}</td>'
        yield _change(change(value, before))
        yield "</tr>"
    yield "</table>"


def _change(text: str) -> str:
    kind, colour = {"+": ("up", "color:#12734a"), "-": ("down", "color:#b3361f")}.get(text[0], ("soft", _SOFT))
    return (
        f'<td class="{kind} line" align="right" style="font-size:15px;white-space:nowrap;{colour};{_LINE}">{text}</td>'
    )


def _days(week: Week) -> Iterator[str]:
    yield _heading("Events by day")
    yield _TABLE
    largest = max((events for _, events in week.days), default=0)
    for day, events in week.days:
        width = share(events, largest, BAR_PERCENT)
        yield f'<tr><td class="soft" width="88" style="padding:4px 0;font-size:14px;white-space:nowrap;{_SOFT}">'
        yield f"{weekday(day)}</td>"
        yield '<td style="padding:4px 12px"><div class="track" style="background:#eef1f6;border-radius:4px">'
        yield f'<div class="bar" style="width:{width}%;height:12px;background:#2f6fdf;border-radius:4px"></div>'
        yield "</div></td>"
        yield f'<td class="strong" width="72" align="right" style="font-size:14px;{_STRONG}">{number(events)}</td></tr>'
    yield "</table>"


def _list(heading: str, rows: Sequence[tuple[str, int]]) -> Iterator[str]:
    yield _heading(heading)
    yield _TABLE
    for key, events in rows:
        style = f"font-size:14px;{_STRONG};{_LINE}"
        yield f'<tr><td class="strong line" style="padding:6px 12px 6px 0;word-break:break-all;{style}">'
        yield f"{escape(key_text(key))}</td>"
        yield f'<td class="strong line" align="right" style="{style}">{number(events)}</td></tr>'
    yield "</table>"


def _proofs(week: Week) -> Iterator[str]:
    wrong = any(week.proofs[state] for state in FAILED)
    kind, colour = ("down", "color:#b3361f") if wrong else ("up", "color:#12734a")
    told = escape(proofs_text(week)).replace("`make verify`", "<code>make verify</code>")
    style = f"margin:0 0 12px;font-size:14px;line-height:20px;font-weight:600;{colour}"
    yield f'<p class="{kind}" style="{style}">{told}</p>'
