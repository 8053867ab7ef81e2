"""The pages about the funnel, from pushes to conversions, and about the retention of followers."""
