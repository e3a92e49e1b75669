"""Training improvers: generate, filter, train, look; one file a method."""
