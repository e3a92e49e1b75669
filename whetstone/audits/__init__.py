"""Floor 4: tests of an evaluator. A method turns labelled cases into findings."""
