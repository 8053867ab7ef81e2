"""The sums from which the figures of followers are read, kept beside the history.

The worker counts new events every minute, in a transaction that also notes up to which position
they are counted. A reader adds to the sums what is not counted yet, so that the figures are exact
at any moment. Storing a push writes nothing here but a row of `counted_hows` when it changes how
a follower came; nothing waits for anything.

Rows that were counted may change afterwards: an erasure takes scenes and ids, and how a follower
came is learned later. Triggers note the row as it was counted, in `counted_follow_events` and
`counted_hows`, whoever changes it. From those rows the part of the sums that is no longer right can
be computed again, and taken away.
"""
