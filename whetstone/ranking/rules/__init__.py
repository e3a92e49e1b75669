"""The rules of social choice, as functions of a score table or of the weight with which each system beats another."""
