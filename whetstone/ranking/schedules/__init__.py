"""Schedules: who should be compared next. Each is a generator of matches that receives their results; none does IO."""
