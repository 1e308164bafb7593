"""What the client sends about pages. A visit is a session, which the client ends after 30 minutes of silence."""

from __future__ import annotations

PAGE_VIEWED = "page_viewed"
# The end of a page view. It adds nothing to what a visitor did.
PAGE_LEFT = "page_left"
# The property that holds the path of the page.
PAGE = ("path",)
