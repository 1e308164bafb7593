"""PostgreSQL: migrations, functions and queries in plain SQL, and the few modules that run them."""

# The version of all of hourledger; here, since both service and projections stand on this package.
VERSION = "0.1.0"
