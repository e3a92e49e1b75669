"""The papers that Whetstone grew from: `papers.tsv`, one row a paper."""
