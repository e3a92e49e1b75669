"""Floor 1: generated reasoning worlds as pure functions. Standard library only.

Every world can make a question of a level, answer it, read an answer from a solution, work out a right solution and
say whether a solution's steps are right and complete. Nothing here knows prompts, models or tasks.
"""
