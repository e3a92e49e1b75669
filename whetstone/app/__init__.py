"""Floor 6: the command line, the main job and the report; the only place where things are wired together."""
