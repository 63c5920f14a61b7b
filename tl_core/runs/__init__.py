"""Jobs and runs on disk: records, events, locks, the queue. Knows no task and no kind of job."""
