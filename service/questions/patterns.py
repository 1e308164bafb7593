"""Texts as regular expressions that PostgreSQL and DuckDB read alike, for comparisons that regular text cannot make.

A comparison that ignores case takes a letter for its capital and its small letter, where Unicode has one of each. The
pattern names both, because the two databases fold case by rules of their own.
"""

from __future__ import annotations

from service.questions.conditions import ENDS, STARTS

_SIGNS = frozenset("\\.^$*+?()[]{}|")


def pattern(operator: str, text: str, *, ignoring_case: bool) -> str:
    """Return the pattern that a text passes when the operator holds: `contains`, `starts with`, `ends with` or `=`."""
    begin = "" if operator in ("contains", ENDS) else "^"
    end = "" if operator in ("contains", STARTS) else "$"
    return begin + "".join(_any_case(each) if ignoring_case else _escaped(each) for each in text) + end


def _any_case(character: str) -> str:
    forms = {each for each in (character, character.lower(), character.upper()) if len(each) == 1}
    return f"[{''.join(sorted(forms))}]" if len(forms) > 1 else _escaped(character)


def _escaped(character: str) -> str:
    return f"\\{character}" if character in _SIGNS else character
