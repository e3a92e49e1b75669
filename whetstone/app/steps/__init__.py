"""The seven steps of `whetstone improve`, one file a step.

Each has a function that measures and returns a frozen dataclass, and a function `show` that prints it as one short
table and a sentence that a person can act on.
"""
