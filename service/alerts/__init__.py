"""Tells people what they asked for: rules about a site or the service, and a message when one fires and recovers.

conditions: what a rule says. checks: whether it holds. messages, weekly: what people are told. deliveries: sends it,
again while that fails; mail, webhooks, elsewhere: the ways to send. watch: looks every half minute. rules: adds and
removes rules.
"""
