"""What WeChat counts by day (datacube), and what arrived here on the same days.

The worker asks WeChat for each day once it is over and ready, and counts the pushes of the day.
`/api/stats/compare`, the console and the doctor read those rows alone.
"""
