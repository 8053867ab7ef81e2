"""The way from a push to a conversion: its sums, and the cohorts of new followers.

A touch is one push of a person, one notice, or one launch of a mini-program by a link or a menu
button. It has the doors by which it came, and how far it led. The worker counts new touches every
minute, and what becomes of earlier ones, into sums from which the figures of any range of days are
read. `docs/decisions` says why people are counted by pairs of days.
"""
