"""Which queries and functions the tests run on PostgreSQL 16: `python -m tests.version_cover`.

Run it after you change EVERY_VERSION in tests/support/server_versions.py, or add a query or a function. It takes
minutes, so it is no part of `make test`.

recording: a plugin of pytest that runs the tests of that version alone, and records what their server ran.
"""
