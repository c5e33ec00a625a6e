"""What a process needs to run well in its surroundings."""
