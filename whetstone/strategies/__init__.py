"""Floor 4: inference-time improvers. A method answers one question."""
