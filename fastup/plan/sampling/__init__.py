"""What an output position reads and with which weights: filters, coordinate rules, tables."""
