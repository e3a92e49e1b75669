"""Claims about models as runnable checks: each returns findings with a verdict."""
