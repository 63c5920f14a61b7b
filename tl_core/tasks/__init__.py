"""What is learned: one folder a task; tasks do not know each other."""
