"""Checks of the SQL that need no database: `python -m tests.sql_check`. They need pglast, a development dependency.

files: rules for one SQL file. folders: rules between the files. modules: no statement hides in a Python string.
"""
