"""PostgreSQL: migrations, functions and queries in plain SQL, and the few modules that run them."""

# The version of all of hourledger. It stands here because both service and projections import this package.
VERSION = "0.1.0"
