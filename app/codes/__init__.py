"""Pools of codes: each person gets exactly one code of a pool, which can be redeemed once.

A pool belongs to a campaign, of which this package knows the id alone.
"""
