"""Sends the events of a program to hourledger."""

from hourledger_client.client import Client, Stats

__all__ = ["Client", "Stats"]
