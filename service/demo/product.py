"""The product of the demo: Ballast, a small tool for private investors. Its pages, and what can be done with it."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Choice(Generic[Value]):
    """Values with weights."""

    def __init__(self, weights: Mapping[Value, float]) -> None:
        self._values = tuple(weights)
        self._sums = tuple(accumulate(weights.values()))

    def of(self, chance: random.Random) -> Value:
        """Return one of the values; with twice the weight, twice as often."""
        return self._values[bisect(self._sums, chance.random() * self._sums[-1])]


HOST = "ballast.example"
TOOLS = ("Portfolio", "Screener", "Backtest")
RISK_MODES = ("conservative", "balanced", "aggressive")
ACTIONS = {
    "Portfolio": ("rebalance", "add_holding", "compare"),
    "Screener": ("filter", "sort", "save_list"),
    "Backtest": ("run", "tune", "compare"),
}
FEATURES = ("alerts", "dark_mode", "notes", "search", "shortcuts")
# The page of each tool.
APP = {tool: f"/{tool.lower()}" for tool in TOOLS}
TITLES = {
    "/": "Ballast: know what your portfolio weighs",
    "/pricing": "Pricing",
    "/signup": "Create an account",
    "/checkout": "Checkout",
    "/changelog": "Changelog",
    "/blog/risk-in-plain-words": "Risk in plain words",
    "/blog/300-backtests": "What 300 backtests taught us",
    "/blog/we-are-live": "Ballast is live",
    "/docs/first-steps": "First steps",
    "/docs/import-holdings": "Import your holdings",
    **{path: f"{tool} - Ballast" for tool, path in APP.items()},
}
# Where visitors go from a page.
NEXT = {
    "/": Choice({"/pricing": 5, "/portfolio": 4, "/docs/first-steps": 3, "/blog/risk-in-plain-words": 2, "/signup": 2}),
    "/pricing": Choice({"/signup": 4, "/": 2, "/docs/first-steps": 2, "/portfolio": 2}),
    "/signup": Choice({"/pricing": 2, "/": 1}),
    "/checkout": Choice({"/pricing": 1}),
    "/changelog": Choice({"/": 2, "/portfolio": 1}),
    "/blog/risk-in-plain-words": Choice({"/": 4, "/blog/300-backtests": 3, "/portfolio": 2}),
    "/blog/300-backtests": Choice({"/backtest": 4, "/": 3, "/blog/risk-in-plain-words": 2}),
    "/blog/we-are-live": Choice({"/": 5, "/portfolio": 3, "/pricing": 3}),
    "/docs/first-steps": Choice({"/docs/import-holdings": 4, "/portfolio": 3, "/signup": 1}),
    "/docs/import-holdings": Choice({"/portfolio": 4, "/docs/first-steps": 1}),
    "/portfolio": Choice({"/screener": 3, "/backtest": 2, "/docs/import-holdings": 1, "/pricing": 1}),
    "/screener": Choice({"/portfolio": 3, "/backtest": 3}),
    "/backtest": Choice({"/portfolio": 3, "/screener": 2, "/changelog": 1}),
}
# How far readers of a page scroll, in percent, at least and at most; a page of a tool has nothing below.
SCROLLED = {path: (25, 100) if path.startswith(("/blog", "/docs")) else (10, 80) for path in TITLES}
FILES = Choice({"/files/holdings-template.csv": 3, "/files/methods.pdf": 2})
OUTBOUND = Choice({"https://github.com/": 2, "https://en.wikipedia.org/wiki/Sharpe_ratio": 3})
LOST_PAGES = Choice({"/blog/beta": 3, "/docs/api": 2, "/jobs": 1})
# What a plan costs in euros.
PLANS = {"pro": 12, "pro_yearly": 120, "team": 39}
BOUGHT = Choice({"pro": 6, "pro_yearly": 3, "team": 1})
