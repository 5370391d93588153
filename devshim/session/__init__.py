"""Sessions: devices plugged in this very interpreter, for itself and for the programs that it starts."""
