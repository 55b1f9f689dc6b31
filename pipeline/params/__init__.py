"""Loading params.yaml and report.yaml."""
