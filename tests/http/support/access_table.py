"""Every route of the service, who may use it, and how a test asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.http.support.site import an_event

# Who may: each column is what a request comes with, and each row the status that it gets when it is not let in.
LET_IN = 0
COLUMNS = (
    *("nothing", "nonsense", "write", "server", "read", "admin", "admin of all", "read of another site"),
    *("write of another site", "expired", "revoked", "environment write key", "environment read token"),
)
MAY: dict[str, tuple[int, ...]] = {
    "events": (401, 401, LET_IN, LET_IN, 403, LET_IN, LET_IN, 403, 403, 401, 401, LET_IN, 401),
    "reads": (401, 401, 403, 403, LET_IN, LET_IN, LET_IN, 403, 403, 401, 401, 401, LET_IN),
    "changes": (401, 401, 403, 403, 403, LET_IN, LET_IN, 403, 403, 401, 401, 401, LET_IN),
    # About all sites.
    "service": (401, 401, 403, 403, 403, 403, LET_IN, 403, 403, 401, 401, 401, LET_IN),
    "settings": (401, 401, 403, 403, 403, LET_IN, LET_IN, 403, 403, 401, 401, 401, 403),
    "settings of all sites": (401, 401, 403, 403, 403, 403, LET_IN, 403, 403, 401, 401, 401, 403),
    "open": (LET_IN,) * len(COLUMNS),
}
SETTINGS = "/api/analytics/settings"
FUNNEL = {"steps": [{"event_type": "opened"}, {"event_type": "closed"}], "hours": 1}
VIEW = {"search": "?range=30d"}
SEGMENT = {"filters": {"event_type": "opened"}}
GOAL = {"event_type": "signup"}
ANNOTATION = {"at": "2025-10-18", "text": "Launch"}
LINK = {"expires_at": "2099-01-01T00:00:00Z"}
HOUR = "2025-10-18T01:00Z"


@dataclass(frozen=True)
class Line:
    """A route: its method and its path as the app has it. asked: the path to ask. status: of those who are let in."""

    method: str
    path: str
    may: str
    asked: str = ""
    status: int = 200
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def address(self) -> str:
        return self.asked or self.path

    def told(self, status: int) -> int:
        """Return a status as `expected` has it."""
        # A thing is there no more when another request has deleted it.
        return LET_IN if self.method == "DELETE" and status in (200, 404) else status

    def expected(self, status: int) -> int:
        """Return the status for whoever gets this one by the table."""
        return self.status if status == LET_IN and self.method != "DELETE" else status


def read(path: str, asked: str = "", status: int = 200) -> list[Line]:
    return [Line("GET", path, "reads", asked, status), Line("OPTIONS", path, "reads", asked, 204)]


def opened(path: str) -> list[Line]:
    return [Line("GET", path, "open"), Line("OPTIONS", path, "open", status=204)]


def settings(path: str, body: Any, status: int, may: str = "settings") -> list[Line]:
    method = "GET" if body is None else "POST"
    return [
        Line(method, SETTINGS + path, may, status=status, body=body),
        Line("OPTIONS", SETTINGS + path, "settings", status=204),
    ]


TABLE: list[Line] = [
    *(line for path in ("/api/analytics/track", "/e") for line in (
        Line("POST", path, "events", body=an_event()), Line("GET", path, "reads"),
        Line("OPTIONS", path, "open", status=204),
    )),
    *(line for path in ("/api/analytics/track/batch", "/e/batch") for line in (
        Line("POST", path, "events", body=[an_event()]), Line("GET", path, "reads", status=405),
        Line("OPTIONS", path, "open", status=204),
    )),
    *(line for name in (
        "cohorts", "proofs", "properties", "rollups", "summary", "top", "trends", "visits", "now", "client", "export",
    )
      for line in read(f"/api/analytics/{name}")),
    *read("/api/analytics/rollups/{hour}", f"/api/analytics/rollups/{HOUR}"),
    *read("/api/analytics/paths", "/api/analytics/paths?from_page=/"),
    *read("/api/analytics/live"),
    *read("/api/analytics/sessions", "/api/analytics/sessions?session_id=s-1"),
    *read("/api/analytics/users", "/api/analytics/users?user_id=nobody", 404),
    *read("/api/analytics/sessions/{session_id}", "/api/analytics/sessions/s-1"),
    *read("/api/analytics/users/{user_id}", "/api/analytics/users/nobody", 404),
    *read("/api/analytics/segments"), *read("/api/analytics/views"), *read("/api/analytics/seals"),
    *read("/schema"), *read("/schema/openapi.json"), *read("/schema/page.js"),
    *read("/schema/{path}", "/schema/nothing", 404),
    Line("POST", "/api/analytics/funnels", "reads", body=FUNNEL),
    Line("OPTIONS", "/api/analytics/funnels", "reads", status=204),
    Line("PUT", "/api/analytics/segments/{name}", "changes", "/api/analytics/segments/mine", body=SEGMENT),
    Line("DELETE", "/api/analytics/segments/{name}", "changes", "/api/analytics/segments/mine"),
    Line("OPTIONS", "/api/analytics/segments/{name}", "reads", "/api/analytics/segments/mine", 204),
    Line("PUT", "/api/analytics/views/{name}", "changes", "/api/analytics/views/mine", body=VIEW),
    Line("DELETE", "/api/analytics/views/{name}", "changes", "/api/analytics/views/mine"),
    Line("OPTIONS", "/api/analytics/views/{name}", "reads", "/api/analytics/views/mine", 204),
    *read("/api/analytics/goals"),
    Line("PUT", "/api/analytics/goals/{name}", "changes", "/api/analytics/goals/mine", body=GOAL),
    Line("DELETE", "/api/analytics/goals/{name}", "changes", "/api/analytics/goals/mine"),
    Line("OPTIONS", "/api/analytics/goals/{name}", "reads", "/api/analytics/goals/mine", 204),
    *read("/api/analytics/goals/{name}/conversions", "/api/analytics/goals/nothing/conversions", 400),
    *read("/api/analytics/annotations"),
    Line("POST", "/api/analytics/annotations", "changes", body=ANNOTATION),
    Line("DELETE", "/api/analytics/annotations/{annotation}", "changes", "/api/analytics/annotations/0"),
    Line("OPTIONS", "/api/analytics/annotations/{annotation}", "reads", "/api/analytics/annotations/0", 204),
    Line("GET", "/metrics", "service"), Line("OPTIONS", "/metrics", "service", status=204),
    *read("/api/analytics/access"), *read("/api/analytics/shared", status=404),
    *(line for path, body, told in (
        ("", None, 200), ("/keys", {"kind": "read"}, 200), ("/links", LINK, 200),
    ) for line in settings(path, body, told)),
    *settings("/sites", {"name": "default"}, 422, may="settings of all sites"),
    Line("PUT", SETTINGS + "/sites/{name}", "settings of all sites", SETTINGS + "/sites/nowhere", 404, {"name": "x"}),
    Line("OPTIONS", SETTINGS + "/sites/{name}", "settings", SETTINGS + "/sites/nowhere", 204),
    *(line for path, asked in (
        ("/keys", "hlw_00000000"), ("/links", "hll_00000000"), ("/sign-ins", "hlc_00000000"),
    ) for line in (
        Line("DELETE", f"{SETTINGS}{path}/{{prefix}}", "settings", f"{SETTINGS}{path}/{asked}"),
        Line("OPTIONS", f"{SETTINGS}{path}/{{prefix}}", "settings", f"{SETTINGS}{path}/{asked}", 204),
    )),
    Line("POST", "/api/analytics/sign-in", "open", status=400, body={}),
    Line("OPTIONS", "/api/analytics/sign-in", "open", status=204),
    Line("POST", "/api/analytics/sign-out", "open"), Line("OPTIONS", "/api/analytics/sign-out", "open", status=204),
    *(line for path in (
        "/", "/shared", "/health/live", "/health/ready", "/analytics.js", "/h.js", "/analytics.mjs", "/analytics.d.mts"
    ) for line in opened(path)),
]  # fmt: skip
# The assets of the pages are many, and all alike.
ASSETS = "/assets/"
