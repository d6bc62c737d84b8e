"""The only place that knows a backend by name: compiling, exporting, tracing."""
