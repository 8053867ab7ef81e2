"""Campaigns: a span of time, the doors by which people come, and a pool of codes for them."""
