"""Training: events, batches, the loop, schedules. Knows no task and no page."""
