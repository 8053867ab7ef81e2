"""Alarms: thresholds that are looked at once a minute, and the messages about them.

`watch` reads the figures and opens and ends alarms, `dispatch` finds receivers to whom something is
to be said, and `deliver` says it: to a webhook, by e-mail, or to a group robot.
"""
