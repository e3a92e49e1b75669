"""Floor 3: evaluators of outputs. A method gives one signal a candidate; higher always means better."""
