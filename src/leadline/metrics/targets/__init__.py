"""What was to come: the file of goals, pace, and the funnel backwards."""
