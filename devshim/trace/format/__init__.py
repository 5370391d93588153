"""devtrace/1, the format of traces: lines of JSON, read strictly and written so that a cut-off one stays valid."""
