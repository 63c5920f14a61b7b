"""What a training is: events, batches, the loop, schedules. Knows no task and no page."""
